import { dropIdentity } from "../bit-identity.js";
import type { EventOf } from "../events.js";
import { composeGrant, grantFrom } from "../grant.js";
import { fixedInterval } from "../intervention/online-interval.js";
import { startOf } from "../intervention/counting.js";
import { releasedBlocks } from "../intervention/freezing.js";
import { decideInterval } from "../intervention/interval.js";
import { trainableAt } from "../intervention/schedule.js";
import { scheduleOf } from "../schedule-of-run.js";
import type { Model, State } from "../state.js";
import { andThen, stay, withCommands, type Transition } from "../transition.js";
import { preparing, type Attempt, type Preparing, type Refusal } from "./attempt.js";
import { endAttempt, refuseAttempt } from "./end-attempt.js";
import { withParts } from "../parts.js";
import { placeScript, refuseMask, refuseResume } from "./script-resume.js";

/** Those of python/modules.json (a test compares): another version of them changes no bit of a run on images. */
export const TEXT_PACKAGES: readonly string[] = ["transformers", "peft", "datasets", "tokenizers", "accelerate"];

/** The versions that count for this run: its worker says hello, with all it has, before it knows what it will train. */
function softwareOf({ config }: State, versions: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isOfImages = config.model !== undefined && !("pretrained" in config.model);
  const used = Object.entries(versions).filter(([name]) => !isOfImages || !TEXT_PACKAGES.includes(name));
  return Object.fromEntries(used);
}

/** The worker has said hello: it is welcomed. */
export function connectWorker(state: State, attempt: Attempt, body: EventOf<"worker/connected">["body"]): Transition {
  const software = softwareOf(state, body.versions);
  const changed = Object.entries(software).filter(([name, version]) => {
    const first = state.software?.[name];
    return first !== undefined && first !== version;
  });
  const reasons = changed.map(([name, version]) => `${name} was ${state.software?.[name]} and is now ${version}`);
  const next: State = withParts(state, { software: state.software ?? software, attempt: preparing(attempt) });
  const { resumeFrom } = attempt;
  return withCommands(dropIdentity(next, reasons), { type: "worker/welcome", attempt: attempt.number, resumeFrom });
}

/** The worker stands at its start: it is granted a stay there, in the state that held after `resumed_from` updates. */
export function prepareWorker(state: State, attempt: Preparing, body: EventOf<"worker/prepared">["body"]): Transition {
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
    microBatch: body.micro_batch ?? null,
    newHead: body.new_head ?? null,
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
  const known = dropIdentity(
    withParts(state, { model }),
    state.model === null ? [] : differencesInHardware(state.model, model),
  );
  const placed = resumesItself ? andThen(known, (next) => placeScript(next, attempt, body)) : known;
  return andThen(andThen(placed, decideFixedInterval), (next) => {
    const idle = refuseWarmup(next, model);
    if (idle !== null) return refuseAttempt(next, attempt, idle);
    const update = body.resumed_from + 1;
    const grant = composeGrant(next, model, update, [], true);
    // What trained the script's weights: at the start of the intervention that is not what it holds from here on.
    const trained = { ...grant, trainable: trainableAt(scheduleOf(next, model), body.resumed_from) };
    const unfit = resumesItself ? refuseMask(trained, body) : null;
    if (unfit !== null) return refuseAttempt(next, attempt, unfit);
    return grantFrom(next, attempt, { update, measuredAt: 0, restored: false }, grant);
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

/** Without a release within the run a warm-up has no effect. Which blocks there are is known only now. */
function refuseWarmup(state: State, model: Model): Refusal | null {
  const { releases, releaseWarmup } = scheduleOf(state, model);
  if (releaseWarmup === null) return null;
  const { interval } = state;
  const { numUpdates } = model;
  let why: string;
  if (releasedBlocks(model).length === 0) why = "the model has no block that is frozen first";
  else if (interval?.source !== "fixed" || numUpdates === null) return null;
  else if (releases.some(({ update }) => update <= numUpdates)) return null;
  else why = `k = ${interval.k} releases no block within ${numUpdates} updates`;
  return {
    outcome: "failed",
    exitCode: 2,
    code: "invalid_config",
    message: `\`intervention.release_warmup\` has no effect: ${why}`,
    hint: "leave it out, or choose blocks and k so that one is released",
  };
}

function decideFixedInterval(state: State): Transition {
  const interval = state.interval === null ? fixedInterval(state.config.intervention) : null;
  return interval === null ? stay(state) : decideInterval(state, interval);
}

function sameModel(a: Model, b: Model): boolean {
  const names = (model: Model): string =>
    [model.head, ...model.blocks].map((block) => `${block.name}:${block.numParams}`).join(" ");
  return names(a) === names(b) && a.numUpdates === b.numUpdates;
}

function differencesInHardware(before: Model, now: Model): string[] {
  const device = before.device === now.device ? [] : [`the device was ${before.device} and is now ${now.device}`];
  const threads =
    before.threads === now.threads ? [] : [`the number of threads was ${before.threads} and is now ${now.threads}`];
  const known = before.microBatch !== null && now.microBatch !== null;
  const probes =
    known && before.microBatch !== now.microBatch
      ? [`probes had micro-batches of ${before.microBatch} and now have ${now.microBatch}`]
      : [];
  return [...device, ...threads, ...probes];
}
