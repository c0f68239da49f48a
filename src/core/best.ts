import type { Body } from "../protocol/messages.js";
import { standingOf } from "./attempt/attempt.js";
import { isFinite } from "./detector/signal.js";
import type { BestValidation, Model, State, Validation } from "./state.js";

/*
 * Which weights a run leaves: the last ones, or those with the best score on the development set. Scores come from the
 * journal alone, and the worker only obeys, so that a resumed run chooses as an undisturbed one does.
 *
 * A best state is kept before a checkpoint of the same step is written. So whatever checkpoint a run goes on from, the
 * best state before it is on the disk and in the journal, and a later one comes again.
 */

/** Updates from one validation to the next; null where there is none. */
export function validationInterval({ config }: State, model: Model): number | null {
  return model.canValidate ? (config.evaluate?.every ?? null) : null;
}

/** Whether the weights have to be scored on the development set before anything else is ordered: the rest depends on it. */
export function awaitsValidation(state: State, model: Model, update: number): boolean {
  const every = validationInterval(state, model);
  if (every === null || isValidated(state, update - 1)) return false;
  return update % every === 0 || update - 1 === model.numUpdates;
}

/** Whether the worker stands at the best weights so far and has not kept them yet. */
export function awaitsKeeping(state: State, model: Model, update: number): boolean {
  return keepsBest(state, model) && state.scores.best?.step === update - 1 && state.weights.best?.step !== update - 1;
}

/** Whether the worker stands at the end with other weights than the best; what it keeps there first is the best. */
export function awaitsRestoring(state: State, model: Model, update: number): boolean {
  const {
    weights: { best },
    attempt,
  } = state;
  if (!keepsBest(state, model) || update - 1 !== model.numUpdates || awaitsKeeping(state, model, update)) return false;
  return best !== null && best.step !== update - 1 && standingOf(attempt)?.restored !== true;
}

function keepsBest({ config }: State, model: Model): boolean {
  return config.evaluate?.keep === "best" && model.canKeepBest;
}

/** The highest score; the earliest of equal ones, so that training longer must pay. Null before the first finite one. */
export function bestOf(validations: Iterable<Validation>): BestValidation | null {
  let best: BestValidation | null = null;
  for (const validation of validations) best = betterOf(best, validation);
  return best;
}

/** The best score after one more. */
export function betterOf(best: BestValidation | null, { score, ...validation }: Validation): BestValidation | null {
  if (!isFinite(score)) return best;
  const better = best === null || score > best.score || (score === best.score && validation.step < best.step);
  return better ? { ...validation, score } : best;
}

export function isValidated({ scores: { validations } }: State, step: number): boolean {
  return validations.has(step);
}

/** The best weights as a grant names them to the worker, which verifies them before it restores them. */
export function bestToRestore({ weights: { best } }: State): Pick<Body<"grant">, "best"> {
  if (best === null) return {};
  return { best: { path: best.path, step: best.step, manifest_sha256: best.manifestSha256 } };
}
