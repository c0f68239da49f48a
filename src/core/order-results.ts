import type { Body } from "../protocol/messages.js";
import { betterOf, isValidated } from "./best.js";
import { judgeBoundary, recordMetrics } from "./boundary.js";
import { developmentSignal, VALIDATION_LOSS } from "../metrics.js";
import { recordedMetrics } from "./recorded.js";
import type { Attempt, Standing, Training } from "./attempt/attempt.js";
import { endAttempt } from "./attempt/end-attempt.js";
import { provenanceOf } from "./provenance.js";
import type { Checkpoint, State, Validation } from "./state.js";
import { withParts } from "./parts.js";
import { andThen, stay, withCommands, type Transition } from "./transition.js";

/** The split whose first value says which weights are the best. */
export const DEVELOPMENT = "development";

/** The first result of a step and split stands, as with signals. */
export function recordEvaluation(state: State, body: Body<"evaluated">): State {
  const { step, split, values, num_examples: numExamples } = body;
  const evaluation = { step, split, values, numExamples, provenance: provenanceOf(body) };
  const evaluations = state.scores.evaluations.append(evaluation);
  return evaluations === state.scores.evaluations
    ? state
    : withParts(state, { scores: { ...state.scores, evaluations } });
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
  if (isValidated(state, step)) return stay(state);
  const validations = state.scores.validations.append(validation);
  const best = betterOf(state.scores.best, validation);
  const scored = withParts(state, { scores: { ...state.scores, validations, best } });
  const scores = Object.entries(values).map(([name, value]) => ({
    name: developmentSignal(name),
    value,
    standard_error: null,
  }));
  const recorded = body.loss === undefined ? scores : [...scores, { name: VALIDATION_LOSS, ...body.loss }];
  const update = step + 1;
  return andThen(recordMetrics(scored, update, recordedMetrics({ recorded })), (next) =>
    judgeBoundary(next, update, true),
  );
}

/** A newer checkpoint is progress: it clears the count of restarts and lets the oldest ones go. */
export function recordCheckpoint(state: State, body: Body<"checkpointed">): Transition {
  const checkpoint = savedWeights(body);
  const others = state.weights.checkpoints.filter((other) => other.path !== checkpoint.path);
  const all = [...others, checkpoint].sort((a, b) => a.step - b.step);
  const kept = all.slice(-(state.config.checkpoint?.keep ?? 1));
  const paths = all.slice(0, all.length - kept.length).map(({ path }) => path);
  const newer = checkpoint.step > state.weights.furthestCheckpoint;
  const furthestCheckpoint = Math.max(checkpoint.step, state.weights.furthestCheckpoint);
  const weights = { ...state.weights, checkpoints: kept, furthestCheckpoint };
  const next = stay(
    withParts(state, { weights, attempts: newer ? { ...state.attempts, restarts: 0 } : state.attempts }),
  );
  return paths.length === 0 ? next : withCommands(next, { type: "checkpoint/remove", paths });
}

/** The best weights so far are on the disk: those before them may go, now that the journal knows better ones. */
export function recordKept(state: State, attempt: Attempt, body: Body<"kept">): Transition {
  if (!isOrdered(attempt, "keep_best", body.step)) {
    return endAttempt(state, attempt, `it kept the weights of step ${body.step} when nobody asked`);
  }
  const before = state.weights.best;
  const next = stay(withParts(state, { weights: { ...state.weights, best: savedWeights(body) } }));
  if (before === null || before.path === body.path) return next;
  return withCommands(next, { type: "checkpoint/remove", paths: [before.path] });
}

/** What a worker left undone that says it has applied its grant, or null. */
export function neglectedOrder(
  state: State,
  { update }: Pick<Standing, "update">,
  { orders }: Body<"grant">,
): string | null {
  const step = update - 1;
  if (orders.includes("checkpoint") && !state.weights.checkpoints.some((checkpoint) => checkpoint.step === step)) {
    return `it did not write the checkpoint that was ordered before update ${update}`;
  }
  if (orders.includes("validate") && !isValidated(state, step)) return `it did not validate before update ${update}`;
  if (orders.includes("keep_best") && state.weights.best?.step !== step) {
    return `it did not keep the weights that are the best before update ${update}`;
  }
  return null;
}

function isOrdered(attempt: Attempt, order: "validate" | "keep_best", step: number): attempt is Training {
  return attempt.stage === "training" && attempt.grant.orders.includes(order) && step === attempt.update - 1;
}

function savedWeights(body: Body<"checkpointed" | "kept">): Checkpoint {
  const { step, path, manifest_sha256: manifestSha256, weights_sha256: weightsSha256 } = body;
  return { step, path, manifestSha256, weightsSha256 };
}
