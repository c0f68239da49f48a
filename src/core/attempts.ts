import { startOf } from "./counting.js";
import { endAttempt, finish, refuseAttempt, refuseOpenRequests } from "./endings.js";
import type { EventOf, SupervisionClock } from "./events.js";
import { composeGrant, grantFrom, scheduleOf } from "./grant.js";
import { dropIdentity } from "./identity.js";
import { decideInterval } from "./interval.js";
import { policyOf } from "./policies/choose.js";
import { endOfScript, withTail } from "./script-end.js";
import { trainableAt } from "./schedule.js";
import { placeScript, refuseMask, refuseResume } from "./script-resume.js";
import type { Attempt, Checkpoint, Model, RunEnd, State } from "./state.js";
import { andThen, stay, withCommands, withDecisions, type Transition } from "./transition.js";

/** Each restart without progress waits twice as long as the one before: a full disk or a lost device needs time. */
const LONGEST_DELAY_DOUBLINGS = 5;

const GO_ON = "`npx thawline resume` starts the script again, and `attach --restart` does so by itself";

/** Orders the next attempt, from the newest checkpoint in the journal. */
export function launchAttempt(state: State, restarts: number): Transition {
  const number = state.numAttempts + 1;
  const resumeFrom = newestCheckpoint(state);
  const attempt: Attempt = {
    number,
    stage: "launching",
    pid: null,
    startTime: null,
    resumeFrom,
    update: 0,
    grant: null,
    held: null,
    recalled: false,
    applied: false,
    restored: false,
    measuredAt: 0,
    remembered: {},
    closed: null,
    endedBecause: null,
    refusal: null,
  };
  const doublings = restarts - 1 < LONGEST_DELAY_DOUBLINGS ? restarts - 1 : LONGEST_DELAY_DOUBLINGS;
  const delaySeconds = restarts === 0 ? 0 : state.config.supervision.restart_delay_seconds * 2 ** doublings;
  return withCommands(stay({ ...state, attempt, numAttempts: number, restarts, progress: null }), {
    type: "worker/launch",
    attempt: number,
    resumeFrom,
    delaySeconds,
  });
}

function newestCheckpoint(state: State): Checkpoint | null {
  return state.checkpoints.reduce<Checkpoint | null>(
    (best, checkpoint) => (best === null || checkpoint.step > best.step ? checkpoint : best),
    null,
  );
}

/** A controller takes the run over: whatever attempt the journal knew is gone; pause and stop do not survive. */
export function startController(state: State, epoch: number): Transition {
  const fresh: State = {
    ...state,
    epoch,
    attempt: null,
    paused: false,
    interrupted: null,
    end: null,
  };
  const expired = refuseOpenRequests(fresh, "the controller that accepted it is gone");
  return andThen(expired, (next) => launchAttempt(next, 0));
}

/** Another version of these changes no bit of a run on images. */
const TEXT_PACKAGES = ["transformers", "peft", "tokenizers"];

/** The worker says hello before it knows what it will train. */
function softwareOf({ config }: State, versions: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isOfImages = config.model !== undefined && !("pretrained" in config.model);
  const used = Object.entries(versions).filter(([name]) => !isOfImages || !TEXT_PACKAGES.includes(name));
  return Object.fromEntries(used);
}

export function connectWorker(state: State, attempt: Attempt, body: EventOf<"worker/connected">["body"]): Transition {
  const software = softwareOf(state, body.versions);
  const changed = Object.entries(software).filter(([name, version]) => {
    const first = state.software?.[name];
    return first !== undefined && first !== version;
  });
  const reasons = changed.map(([name, version]) => `${name} was ${state.software?.[name]} and is now ${version}`);
  const next: State = {
    ...state,
    software: state.software ?? software,
    attempt: { ...attempt, stage: "preparing" },
  };
  const { resumeFrom } = attempt;
  return withCommands(dropIdentity(next, reasons), { type: "worker/welcome", attempt: attempt.number, resumeFrom });
}

/** The worker stands at its start: it is granted a stay there, in the state that held after `resumed_from` updates. */
export function prepareWorker(state: State, attempt: Attempt, body: EventOf<"worker/prepared">["body"]): Transition {
  const model: Model = {
    blocks: body.blocks.map((block) => ({
      name: block.name,
      numParams: block.num_params,
      trainableFromStart: block.trainable_from_start ?? false,
    })),
    head: { name: body.head.name, numParams: body.head.num_params },
    numUpdates: body.num_updates,
    updatesPerEpoch: body.updates_per_epoch,
    canCheckpoint: body.can.includes("checkpoint"),
    canEvaluate: body.can.includes("evaluate"),
    canValidate: body.can.includes("validate"),
    canKeepBest: body.can.includes("keep_best") && body.can.includes("restore_best"),
    device: body.device,
    threads: body.threads,
  };
  const resumesItself = state.config.script !== undefined && !model.canCheckpoint;
  const expected = attempt.resumeFrom?.step ?? 0;
  if (!resumesItself && body.resumed_from !== expected) {
    return endAttempt(state, attempt, `it resumed from step ${body.resumed_from} instead of ${expected}`);
  }
  if (state.model !== null && !sameModel(state.model, model)) {
    return endAttempt(state, attempt, "its blocks or its number of updates are not those of the attempt before");
  }
  const start = startOf(state.config.intervention);
  if (model.numUpdates !== null && start > model.numUpdates) {
    return refuseStart(state, attempt, start, model.numUpdates);
  }
  const refusal = resumesItself ? refuseResume(state, body) : null;
  if (refusal !== null) return refuseAttempt(state, attempt, refusal);
  const prepared: State = { ...state, model, attempt: { ...attempt, update: body.resumed_from + 1 } };
  const known = dropIdentity(prepared, state.model === null ? [] : differencesInHardware(state.model, model));
  const placed = resumesItself ? andThen(known, (next) => placeScript(next, next.attempt!, body)) : known;
  return andThen(andThen(placed, decideFixedInterval), (next) => {
    const standing = next.attempt!;
    const grant = composeGrant(next, model, standing.update, [], true);
    // What trained the script's weights: at the start of the intervention that is not what it holds from here on.
    const trained = { ...grant, trainable: trainableAt(scheduleOf(next, model), body.resumed_from) };
    const unfit = resumesItself ? refuseMask(trained, body) : null;
    return unfit === null ? grantFrom(next, standing, grant) : refuseAttempt(next, standing, unfit);
  });
}

/** Known only now where training is told in epochs: the configuration's check has seen those in updates. */
function refuseStart(state: State, attempt: Attempt, start: number, numUpdates: number): Transition {
  return refuseAttempt(state, attempt, {
    outcome: "failed",
    exitCode: 2,
    code: "invalid_config",
    message: `\`intervention.start\` is ${start}, but training ends after ${numUpdates} updates`,
    hint: `set \`intervention.start\` to at most ${numUpdates}, or train longer`,
  });
}

function decideFixedInterval(state: State): Transition {
  const { intervention } = state.config;
  const interval = state.interval === null ? policyOf(intervention).initial(intervention) : null;
  return interval === null ? stay(state) : decideInterval(state, interval);
}

function sameModel(a: Model, b: Model): boolean {
  const names = (model: Model): string =>
    [model.head, ...model.blocks].map((block) => `${block.name}:${block.numParams}`).join(" ");
  return names(a) === names(b) && a.numUpdates === b.numUpdates;
}

function differencesInHardware(before: Model, now: Model): string[] {
  const device = before.device === now.device ? [] : [`the device was ${before.device} and is now ${now.device}`];
  const threads = `the number of threads was ${before.threads} and is now ${now.threads}`;
  return before.threads === now.threads ? device : [...device, threads];
}

export function describeTimeout(clock: SupervisionClock, seconds: number): string {
  const what = {
    connect: "it did not connect",
    ready: "it was not ready to train",
    progress: "it made no progress",
    stop: "it did not stop",
  }[clock];
  return `${what} within ${seconds} s`;
}

/** The process is gone: finish, give up, or start the next attempt. */
export function exitAttempt(state: State, attempt: Attempt, event: EventOf<"attempt/exited">): Transition {
  const { closed } = attempt;
  const gone: State = { ...state, attempt: { ...attempt, stage: "closed", grant: null } };
  const end = state.config.script === undefined ? null : endOfScript(state, attempt, event);
  if (end !== null) return finish(gone, end);
  if (closed?.outcome === "finished") return finish(gone, { outcome: "finished", exitCode: 0 });
  if (attempt.refusal !== null) return finish(gone, attempt.refusal);
  if (closed?.outcome === "failed" && closed.fault !== "environment") return failOrFallBack(gone, attempt, closed);
  if (state.interrupted !== null || closed?.outcome === "stopped") return finish(gone, stopped(gone));
  const why = describeDeath(state, attempt, event);
  return restart(gone, attempt, why, event.tail);
}

function stopped(state: State): RunEnd {
  const checkpoint = newestCheckpoint(state);
  const by = state.interrupted === "operator" ? "the operator stopped the run" : "the run was interrupted";
  const none = state.config.script === undefined ? "it has no checkpoint yet" : "the script's own checkpoints count";
  const from = checkpoint === null ? none : `its last checkpoint is at step ${checkpoint.step}`;
  return { outcome: "stopped", exitCode: 130, message: `${by}; ${from}` };
}

type Failed = Extract<NonNullable<Attempt["closed"]>, { outcome: "failed" }>;

/** The user's and the code's faults end the run, except a corrupt checkpoint: an older one may still do. */
function failOrFallBack(state: State, attempt: Attempt, closed: Failed): Transition {
  if (closed.code === "corrupt_checkpoint" && attempt.resumeFrom !== null) {
    const corrupt = attempt.resumeFrom;
    const left = state.checkpoints.filter((checkpoint) => checkpoint.path !== corrupt.path);
    return restart({ ...state, checkpoints: left }, attempt, closed.message, "");
  }
  return finish(state, {
    outcome: "failed",
    exitCode: closed.fault === "user" ? 2 : 1,
    code: closed.code,
    message: closed.message,
    hint: closed.hint,
  });
}

function restart(state: State, attempt: Attempt, why: string, tail: string): Transition {
  const restarts = state.restarts + 1;
  const { script, supervision } = state.config;
  const limit = script?.restart === false ? 0 : supervision.max_restarts;
  const allowed = restarts <= limit;
  const said = withDecisions(stay(state), { type: "attempt/ended", attempt: attempt.number, why, restart: allowed });
  if (allowed) return andThen(said, (next) => launchAttempt(next, restarts));
  const times = limit === 0 ? "" : `, after ${limit} restart${limit === 1 ? "" : "s"} without a newer checkpoint`;
  return andThen(said, (next) =>
    finish(next, {
      outcome: "failed",
      exitCode: 1,
      code: "worker_lost",
      message: `the ${script === undefined ? "worker" : "script"} failed${times}: ${why}`,
      hint: withTail(script === undefined ? "" : GO_ON, tail),
    }),
  );
}

function describeDeath(state: State, attempt: Attempt, event: EventOf<"attempt/exited">): string {
  if (attempt.endedBecause !== null) return attempt.endedBecause;
  if (attempt.closed?.outcome === "failed") return attempt.closed.message;
  const how =
    event.signal === null ? `exited with code ${event.exitCode ?? "unknown"}` : `was ended by ${event.signal}`;
  const step = state.progress?.step ?? (attempt.update > 0 ? attempt.update - 1 : null);
  return `it ${how} without closing${step === null ? " before training" : `, last seen at step ${step}`}`;
}
