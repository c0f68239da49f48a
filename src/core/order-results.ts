import type { Body } from "../protocol/messages.js";
import { isValidated } from "./best.js";
import { endAttempt } from "./endings.js";
import type { Attempt, Checkpoint, State, Validation } from "./state.js";
import { stay, withCommands, type Transition } from "./transition.js";

/** The split whose first value says which weights are the best. */
export const DEVELOPMENT = "development";

/** The first result of a step and split stands, as with signals. */
export function recordEvaluation(state: State, body: Body<"evaluated">): State {
  const known = state.evaluations.some((entry) => entry.step === body.step && entry.split === body.split);
  const { step, split, values, num_examples: numExamples, regenerated } = body;
  const { from_jpeg: fromJpeg = false, left_out: leftOut = null, made_with: madeWith = null } = body;
  const evaluation = { step, split, values, numExamples, regenerated, fromJpeg, leftOut, madeWith };
  return known ? state : { ...state, evaluations: [...state.evaluations, evaluation] };
}

/** A score that nobody asked for could make other weights the best. */
export function recordValidation(state: State, attempt: Attempt, body: Body<"evaluated">): Transition {
  const { step, values, num_examples: numExamples } = body;
  const [score] = Object.values(values);
  if (!isOrdered(attempt, "validate", step)) {
    return endAttempt(state, attempt, `it validated step ${step} when nobody asked`);
  }
  if (score === undefined) return endAttempt(state, attempt, `it validated step ${step} without a score`);
  const validation: Validation = { step, values, score, numExamples };
  return stay(isValidated(state, step) ? state : { ...state, validations: [...state.validations, validation] });
}

/** A newer checkpoint is progress: it clears the count of restarts and lets the oldest ones go. */
export function recordCheckpoint(state: State, body: Body<"checkpointed">): Transition {
  const checkpoint = savedWeights(body);
  const others = state.checkpoints.filter((other) => other.path !== checkpoint.path);
  const all = [...others, checkpoint].sort((a, b) => a.step - b.step);
  const kept = all.slice(-(state.config.checkpoint?.keep ?? 1));
  const paths = all.slice(0, all.length - kept.length).map(({ path }) => path);
  const newer = checkpoint.step > state.furthestCheckpoint;
  const progress = newer ? { furthestCheckpoint: checkpoint.step, restarts: 0 } : {};
  const next = stay({ ...state, checkpoints: kept, ...progress });
  return paths.length === 0 ? next : withCommands(next, { type: "checkpoint/remove", paths });
}

/** The best weights so far are on the disk: those before them may go, now that the journal knows better ones. */
export function recordKept(state: State, attempt: Attempt, body: Body<"kept">): Transition {
  if (!isOrdered(attempt, "keep_best", body.step)) {
    return endAttempt(state, attempt, `it kept the weights of step ${body.step} when nobody asked`);
  }
  const before = state.best;
  const next = stay({ ...state, best: savedWeights(body) });
  if (before === null || before.path === body.path) return next;
  return withCommands(next, { type: "checkpoint/remove", paths: [before.path] });
}

/** What a worker left undone that says it has applied its grant, or null. */
export function neglectedOrder(state: State, { update }: Attempt, { orders }: Body<"grant">): string | null {
  const step = update - 1;
  if (orders.includes("checkpoint") && !state.checkpoints.some((checkpoint) => checkpoint.step === step)) {
    return `it did not write the checkpoint that was ordered before update ${update}`;
  }
  if (orders.includes("validate") && !isValidated(state, step)) return `it did not validate before update ${update}`;
  if (orders.includes("keep_best") && state.best?.step !== step) {
    return `it did not keep the weights that are the best before update ${update}`;
  }
  return null;
}

function isOrdered({ grant, update }: Attempt, order: "validate" | "keep_best", step: number): boolean {
  return grant?.orders.includes(order) === true && step === update - 1;
}

function savedWeights(body: Body<"checkpointed" | "kept">): Checkpoint {
  const { step, path, manifest_sha256: manifestSha256, weights_sha256: weightsSha256 } = body;
  return { step, path, manifestSha256, weightsSha256 };
}
