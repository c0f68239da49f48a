import { connectWorker, describeTimeout, exitAttempt, prepareWorker, startController } from "./attempts.js";
import { proceed, reachBoundary } from "./boundary.js";
import { endAttempt, finish } from "./endings.js";
import type { Event, EventOf, WorkerEvent } from "./events.js";
import { recallOrProceed, receiveCommand } from "./operator.js";
import { confirmApplied } from "./requests.js";
import { countParameters } from "./schedule.js";
import type { Attempt, Checkpoint, State } from "./state.js";
import { stay, withCommands, type Transition } from "./transition.js";

/** Losses kept for the chart; the oldest make room, since a long run would grow the state without bound. */
const MOST_LOSSES = 4096;

/** The state of a run that was just created; the journal's first event makes it. */
export function createRun(event: EventOf<"run/created">): State {
  const zero = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
  return {
    run: event.run,
    config: event.config,
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
    announcedUntil: 0,
    frontier: 0,
    series: {},
    operatorChanges: [],
    operatorRequests: [],
    operatorIds: [],
    unconfirmed: [],
    operatorOrders: [],
    paused: false,
    interrupted: null,
    checkpoints: [],
    evaluations: [],
    evaluatedAt: [],
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
  if (attempt === null || event.attempt !== attempt.number) return stay(state);
  switch (event.type) {
    case "attempt/launched": {
      const launched: Attempt = { ...attempt, stage: "connecting", pid: event.pid, startTime: event.startTime };
      return stay({ ...state, attempt: launched });
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
  switch (event.type) {
    case "worker/connected":
      if (attempt.stage !== "connecting" && attempt.stage !== "launching") {
        return endAttempt(state, attempt, "it said hello twice");
      }
      return connectWorker(state, attempt, event.body);
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
      return stay(recordEvaluation(state, event.body));
    case "worker/checkpointed":
      return recordCheckpoint(state, event.body);
    case "worker/logged":
      return stay(state);
    case "worker/closed": {
      const weightsSha256 = event.body.outcome === "finished" ? event.body.weights_sha256 : state.weightsSha256;
      return stay({
        ...state,
        weightsSha256,
        attempt: { ...attempt, stage: "closed", closed: event.body, grant: null },
      });
    }
  }
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
  const evaluatedAt = grant.orders.includes("evaluate") ? [...state.evaluatedAt, attempt.update] : state.evaluatedAt;
  return confirmApplied({ ...state, evaluatedAt }, attempt.update);
}

function overran(attempt: Attempt, step: number): boolean {
  const until = attempt.grant?.until ?? null;
  return until !== null && step >= until;
}

function recordProgress(state: State, body: EventOf<"worker/progressed">["body"]): State {
  const { step, loss } = body;
  const last = state.losses.at(-1);
  if (loss === null || (last !== undefined && step <= last.step)) return { ...state, progress: body };
  return { ...state, progress: body, losses: [...state.losses, { step, loss }].slice(-MOST_LOSSES) };
}

/** The first result of a step and split stands, as with signals. */
function recordEvaluation(state: State, body: EventOf<"worker/evaluated">["body"]): State {
  const known = state.evaluations.some((entry) => entry.step === body.step && entry.split === body.split);
  const { step, split, values, num_examples: numExamples, regenerated } = body;
  const evaluation = { step, split, values, numExamples, regenerated };
  return known ? state : { ...state, evaluations: [...state.evaluations, evaluation] };
}

/** A newer checkpoint is progress: it clears the count of restarts and lets the oldest ones go. */
function recordCheckpoint(state: State, body: EventOf<"worker/checkpointed">["body"]): Transition {
  const { step, path, manifest_sha256: manifestSha256, weights_sha256: weightsSha256 } = body;
  const newer = state.checkpoints.every((other) => step > other.step);
  const others = state.checkpoints.filter((other) => other.path !== path);
  const all: Checkpoint[] = [...others, { step, path, manifestSha256, weightsSha256 }].sort((a, b) => a.step - b.step);
  const kept = all.slice(-state.config.checkpoint.keep);
  const paths = all.slice(0, all.length - kept.length).map((checkpoint) => checkpoint.path);
  const next = stay({ ...state, checkpoints: kept, restarts: newer ? 0 : state.restarts });
  return paths.length === 0 ? next : withCommands(next, { type: "checkpoint/remove", paths });
}

/** Ctrl-C and the scheduler's signals: stop with a checkpoint; a second one does not wait for the worker. */
function interrupt(state: State): Transition {
  const { attempt } = state;
  const stopping: State = { ...state, interrupted: state.interrupted ?? "interrupted" };
  if (attempt === null) return stay(stopping);
  if (state.interrupted !== null) return endAttempt(stopping, attempt, "the operator did not want to wait");
  switch (attempt.stage) {
    case "training":
      return recallOrProceed(stopping);
    case "waiting":
      return proceed(stopping);
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
  const refusal = { outcome: "failed", exitCode: 2, code: "incompatible_protocol", message, hint } as const;
  return endAttempt({ ...state, attempt: { ...attempt, refusal } }, { ...attempt, refusal }, message);
}
