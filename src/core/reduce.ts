import { connectWorker, describeTimeout, exitAttempt, prepareWorker, startController } from "./attempts.js";
import { reachBoundary } from "./boundary.js";
import { endAttempt, finish, refuseAttempt } from "./endings.js";
import type { Event, EventOf, WorkerEvent } from "./events.js";
import { completeConfig } from "./recorded-config.js";
import { recallOrProceed, receiveCommand } from "./operator.js";
import {
  DEVELOPMENT,
  neglectedOrder,
  recordCheckpoint,
  recordEvaluation,
  recordKept,
  recordValidation,
} from "./order-results.js";
import { confirmApplied } from "./requests.js";
import { countParameters } from "./schedule.js";
import { remember } from "./script-resume.js";
import type { Attempt, State } from "./state.js";
import { stay, type Transition } from "./transition.js";

/** Losses kept for the chart; the oldest make room, since a long run would grow the state without bound. */
const MOST_LOSSES = 4096;

/** The state of a run that was just created; the journal's first event makes it. */
export function createRun(event: EventOf<"run/created">): State {
  const zero = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
  return {
    run: event.run,
    config: completeConfig(event.config),
    coreVersion: event.coreVersion,
    epoch: 0,
    attempt: null,
    numAttempts: 0,
    restarts: 0,
    model: null,
    software: null,
    interval: null,
    judgement: null,
    judgedUntil: 0,
    announced: null,
    frontier: 0,
    series: {},
    voided: {},
    adopted: null,
    operatorChanges: [],
    operatorRequests: [],
    operatorIds: [],
    unconfirmed: [],
    operatorOrders: [],
    paused: false,
    interrupted: null,
    checkpoints: [],
    furthestCheckpoint: -1,
    evaluations: [],
    evaluatedAt: [],
    validations: [],
    best: null,
    progress: null,
    losses: [],
    seconds: zero,
    identityDropped: [],
    weightsSha256: null,
    end: null,
  };
}

/**
 * Every decision of thawline: from the state and one fact to the next state, what was decided, and what is to be
 * done. Reads no clock, does no IO, has no randomness: the same journal gives the same commands, bit for bit.
 */
export function reduce(state: State, event: Event): Transition {
  if (event.type === "run/created") return stay(createRun(event));
  if (event.type === "controller/started") return startController(state, event.epoch);
  if (event.type === "operator/commanded") return receiveCommand(state, event);
  if (state.end !== null) return stay(state);
  if (event.type === "controller/interrupted") return interrupt(state);
  const { attempt } = state;
  // A late word from an attempt that is over changes nothing.
  if (attempt?.number !== event.attempt) return stay(state);
  switch (event.type) {
    case "attempt/launched": {
      // A quick worker may have said hello before its launcher returned.
      const stage = attempt.stage === "launching" ? "connecting" : attempt.stage;
      return stay({ ...state, attempt: { ...attempt, stage, pid: event.pid, startTime: event.startTime } });
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
      return attempt.endedBecause !== null ? stay(state) : hearWorker(state, attempt, event);
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
        ? stay({ ...state, attempt: remember(attempt, event.body) })
        : endAttempt(state, attempt, "it told of another run when nobody asked");
    case "worker/prepared":
      if (attempt.stage !== "preparing" || attempt.grant !== null) {
        return endAttempt(state, attempt, "it said that it is ready when nobody asked");
      }
      return prepareWorker(state, attempt, event.body);
    case "worker/reachedBoundary":
      return reachBoundary(state, attempt, event.body);
    case "worker/applied":
      return apply(state, attempt, event.body);
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
 * Only a worker that stands behind its last update has finished, where that is known, and only one that was told to has
 * stopped: else a run would end as what it is not.
 */
function closeAttempt(state: State, attempt: Attempt, body: EventOf<"worker/closed">["body"]): Transition {
  const closed: State = { ...state, attempt: { ...attempt, stage: "closed", closed: body, grant: null } };
  if (body.outcome === "stopped" && state.interrupted === null) {
    return endAttempt(state, attempt, `it closed as stopped after ${body.step} updates, but nobody stopped it`);
  }
  if (body.outcome !== "finished") return stay(closed);
  const numUpdates = state.model?.numUpdates;
  if (numUpdates === undefined || (numUpdates !== null && attempt.update !== numUpdates + 1)) {
    return endAttempt(state, attempt, `it closed as finished after ${body.step} updates, before its end`);
  }
  return stay({ ...closed, weightsSha256: body.weights_sha256 });
}

/** What the worker did must be what the grant said. */
function apply(state: State, attempt: Attempt, body: EventOf<"worker/applied">["body"]): Transition {
  const { grant } = attempt;
  if (grant === null || state.model === null) return endAttempt(state, attempt, "it applied a grant it never got");
  const expected = countParameters(state.model, grant.trainable);
  if (body.update !== attempt.update || body.num_trainable !== expected) {
    const did = `${body.num_trainable} trainable parameters before update ${body.update}`;
    return endAttempt(state, attempt, `it applied ${did} instead of ${expected} before update ${attempt.update}`);
  }
  const neglected = neglectedOrder(state, attempt, grant);
  if (neglected !== null) return endAttempt(state, attempt, neglected);
  const evaluatedAt = grant.orders.includes("evaluate") ? [...state.evaluatedAt, attempt.update] : state.evaluatedAt;
  const restored = attempt.restored || grant.orders.includes("restore_best");
  return confirmApplied({ ...state, evaluatedAt, attempt: { ...attempt, applied: true, restored } }, attempt, grant);
}

function overran(attempt: Attempt, step: number): boolean {
  const until = attempt.grant?.until ?? null;
  return until !== null && step >= until;
}

/** A result belongs to the boundary at which the worker stands, or to an update that its grant covers. */
function isOutsideGrant(attempt: Attempt, step: number): boolean {
  return step < attempt.update - 1 || (attempt.grant === null ? step > attempt.update - 1 : overran(attempt, step));
}

function recordProgress(state: State, body: EventOf<"worker/progressed">["body"]): State {
  const { step, loss } = body;
  const last = state.losses.at(-1);
  if (loss === null || (last !== undefined && step <= last.step)) return { ...state, progress: body };
  return { ...state, progress: body, losses: [...state.losses, { step, loss }].slice(-MOST_LOSSES) };
}

/** Ctrl-C and the scheduler's signals: stop with a checkpoint; a second one does not wait for the worker. */
function interrupt(state: State): Transition {
  const { attempt } = state;
  const stopping: State = { ...state, interrupted: state.interrupted ?? "interrupted" };
  if (attempt === null) return stay(stopping);
  if (state.interrupted !== null) return endAttempt(stopping, attempt, "the operator did not want to wait");
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
