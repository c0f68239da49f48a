import { applied, closed, standingOf, type Attempt, type Training } from "./attempt/attempt.js";
import { describeTimeout, endAttempt, refuseAttempt } from "./attempt/end-attempt.js";
import { exitAttempt } from "./attempt/exit.js";
import { startController } from "./attempt/launch.js";
import { connectWorker, prepareWorker } from "./attempt/prepare.js";
import { reachBoundary, recordMetrics } from "./boundary.js";
import { finish } from "./end-run.js";
import type { Event, EventOf, WorkerEvent } from "./events.js";
import { createRun } from "./create-run.js";
import { recallOrProceed, receiveRequest } from "./operator/operator.js";
import {
  DEVELOPMENT,
  neglectedOrder,
  recordCheckpoint,
  recordEvaluation,
  recordKept,
  recordValidation,
} from "./order-results.js";
import { confirmApplied } from "./operator/requests.js";
import { countParameters } from "./intervention/schedule.js";
import { withParts, withProgress } from "./parts.js";
import { missedToTheEnd, recordedMetrics } from "./recorded.js";
import { remember } from "./attempt/script-resume.js";
import type { State } from "./state.js";
import { stay, withDecisions, type Transition } from "./transition.js";

/**
 * Every decision of thawline: from the state and one fact to the next state, what was decided, and what is to be
 * done. Reads no clock, does no IO, has no randomness: the same journal gives the same commands, bit for bit.
 *
 * @param state null before the run's creation, which is a run's first event; a second one changes nothing.
 * @throws BugError when anything else comes first
 */
export function reduce(state: State | null, event: Event): Transition {
  if (state === null) return createRun(event);
  if (event.type === "run/created" || event.type === "controller/failed") return stay(state);
  if (event.type === "controller/started") return startController(state, event.term);
  if (event.type === "operator/requested") return receiveRequest(state, event);
  if (state.end !== null) return stay(state);
  if (event.type === "controller/interrupted") return interrupt(state);
  const { attempt } = state;
  // A late word from an attempt that is over changes nothing.
  if (attempt?.number !== event.attempt) return stay(state);
  switch (event.type) {
    case "attempt/launched": {
      const process = { pid: event.pid, startTime: event.startTime };
      // A quick worker may have said hello before its launcher returned.
      const launched: Attempt = attempt.stage === "launching" ? { ...attempt, stage: "connecting" } : attempt;
      return stay(withParts(state, { attempt: { ...launched, process } }));
    }
    case "attempt/launchFailed": {
      const { code, message, hint } = event;
      return finish(state, { outcome: "failed", exitCode: 2, code, message, hint });
    }
    case "attempt/exited":
      return exitAttempt(state, attempt, event);
    case "attempt/timedOut":
      return endAttempt(state, attempt, describeTimeout(event.clock, event.seconds));
    case "attempt/violated":
      return endAttempt(state, attempt, event.reason);
    case "attempt/incompatible":
      return refuseVersion(state, attempt, event);
    case "attempt/quiet":
      return stay(state);
    default:
      return attempt.ended !== null ? stay(state) : hearWorker(state, attempt, event);
  }
}

function hearWorker(state: State, attempt: Attempt, event: WorkerEvent): Transition {
  if (attempt.stage === "closed") return endAttempt(state, attempt, "it went on talking after it had closed");
  switch (event.type) {
    case "worker/connected":
      if (attempt.stage !== "connecting" && attempt.stage !== "launching") {
        return endAttempt(state, attempt, "it said hello twice");
      }
      return connectWorker(state, attempt, event.body);
    case "worker/remembered":
      return attempt.stage === "preparing"
        ? stay(withParts(state, { attempt: remember(attempt, event.body) }))
        : endAttempt(state, attempt, "it told of another run when nobody asked");
    case "worker/prepared":
      if (attempt.stage !== "preparing") {
        return endAttempt(state, attempt, "it said that it is ready when nobody asked");
      }
      return prepareWorker(state, attempt, event.body);
    case "worker/reachedBoundary":
      return attempt.stage === "training"
        ? reachBoundary(state, attempt, event.body)
        : endAttempt(state, attempt, `it reported boundary ${event.body.update} without a grant`);
    case "worker/applied":
      return attempt.stage === "training"
        ? apply(state, attempt, event.body)
        : endAttempt(state, attempt, "it applied a grant it never got");
    case "worker/progressed":
      return overran(attempt, event.body.step)
        ? endAttempt(state, attempt, `it overran its grant: it has completed ${event.body.step} updates`)
        : stay(recordProgress(state, event.body));
    case "worker/evaluated":
      if (isOutsideGrant(attempt, event.body.step)) {
        return endAttempt(state, attempt, `it evaluated step ${event.body.step}, where it does not stand`);
      }
      return event.body.split === DEVELOPMENT
        ? recordValidation(state, attempt, event.body)
        : stay(recordEvaluation(state, event.body));
    case "worker/checkpointed":
      return isOutsideGrant(attempt, event.body.step)
        ? endAttempt(state, attempt, `it wrote a checkpoint of step ${event.body.step}, where it does not stand`)
        : recordCheckpoint(state, event.body);
    case "worker/kept":
      return recordKept(state, attempt, event.body);
    case "worker/logged":
      return stay(state);
    case "worker/closed":
      return closeAttempt(state, attempt, event.body);
  }
}

/**
 * Only a worker that stands behind its last update has finished, where that is known and it does not say itself that it
 * ended early, and only one that was told to has stopped: else a run would end as what it is not.
 */
function closeAttempt(state: State, attempt: Attempt, body: EventOf<"worker/closed">["body"]): Transition {
  const gone: State = withParts(state, { attempt: closed(attempt, body) });
  if (body.outcome === "stopped" && state.operator.interrupted === null) {
    return endAttempt(state, attempt, `it closed as stopped after ${body.step} updates, but nobody stopped it`);
  }
  if (body.outcome !== "finished") return stay(gone);
  const numUpdates = state.model?.numUpdates;
  const standing = standingOf(attempt)?.update;
  if (body.early === true) {
    const isBefore = typeof numUpdates === "number" && body.step < numUpdates && attempt.stage === "training";
    if (!isBefore || state.config.script === undefined || overran(attempt, body.step)) {
      return endAttempt(state, attempt, `it closed as ended early after ${body.step} updates, where it may not`);
    }
  } else if (numUpdates === undefined || (numUpdates !== null && standing !== numUpdates + 1)) {
    return endAttempt(state, attempt, `it closed as finished after ${body.step} updates, before its end`);
  }
  const unhashed = body.weights_unhashed === undefined ? {} : { unhashed: body.weights_unhashed };
  const weights = { ...gone.weights, sha256: body.weights_sha256, ...unhashed };
  // The last evaluation comes after the last boundary.
  const heard = recordMetrics(withParts(gone, { weights }), body.step + 1, recordedMetrics(body));
  return withDecisions(heard, ...missedToTheEnd(heard.state));
}

/** What the worker did must be what the grant said. */
function apply(state: State, attempt: Training, body: EventOf<"worker/applied">["body"]): Transition {
  const { grant } = attempt;
  const expected = countParameters(state.model!, grant.trainable);
  if (body.update !== attempt.update || body.num_trainable !== expected) {
    const did = `${body.num_trainable} trainable parameters before update ${body.update}`;
    return endAttempt(state, attempt, `it applied ${did} instead of ${expected} before update ${attempt.update}`);
  }
  const neglected = neglectedOrder(state, attempt, grant);
  if (neglected !== null) return endAttempt(state, attempt, neglected);
  const evaluatedAt = grant.orders.includes("evaluate")
    ? state.scores.evaluatedAt.append(attempt.update)
    : state.scores.evaluatedAt;
  const restored = attempt.restored || grant.orders.includes("restore_best");
  const scores = evaluatedAt === state.scores.evaluatedAt ? state.scores : { ...state.scores, evaluatedAt };
  return confirmApplied(withParts(state, { attempt: applied(attempt, restored), scores }), attempt, grant);
}

function overran(attempt: Attempt, step: number): boolean {
  const until = attempt.stage === "training" ? attempt.grant.until : null;
  return until !== null && step >= until;
}

/** A result belongs to the boundary at which the worker stands, or to an update that its grant covers. */
function isOutsideGrant(attempt: Attempt, step: number): boolean {
  const standing = standingOf(attempt);
  if (standing === null || step < standing.update - 1) return true;
  return attempt.stage === "training" ? overran(attempt, step) : step > standing.update - 1;
}

/** The first loss of a step stands, as with signals. */
function recordProgress(state: State, body: EventOf<"worker/progressed">["body"]): State {
  const { step, loss } = body;
  const last = state.progress.loss;
  const isNew = loss !== null && (last === null || step > last.step);
  const progress = withProgress(state.progress, { latest: body, loss: isNew ? { step, loss } : last });
  return withParts(state, { progress });
}

/** Ctrl-C and the scheduler's signals: stop with a checkpoint; a second one does not wait for the worker. */
function interrupt(state: State): Transition {
  const { attempt } = state;
  const stopping: State = withParts(state, {
    operator: { ...state.operator, interrupted: state.operator.interrupted ?? "interrupted" },
  });
  if (attempt === null) return stay(stopping);
  if (state.operator.interrupted !== null) return endAttempt(stopping, attempt, "the operator did not want to wait");
  switch (attempt.stage) {
    case "training":
    case "waiting":
      return recallOrProceed(stopping);
    case "launching":
    case "connecting":
    case "preparing":
      return endAttempt(stopping, attempt, "the run was interrupted before it trained");
    case "stopping":
    case "closed":
      return stay(stopping);
  }
}

/** A worker of another protocol stays what it is, however often it is started. */
function refuseVersion(state: State, attempt: Attempt, event: EventOf<"attempt/incompatible">): Transition {
  const message = `the worker speaks protocol ${event.theirs}, this controller ${event.ours}`;
  const hint = "install the same version of thawline for Node and for Python";
  return refuseAttempt(state, attempt, {
    outcome: "failed",
    exitCode: 2,
    code: "incompatible_protocol",
    message,
    hint,
  });
}
