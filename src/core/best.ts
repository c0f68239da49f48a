import type { Body } from "../protocol/messages.js";
import { isFinite } from "./signal.js";
import type { Model, State, Validation } from "./state.js";

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

/** Whether the worker has to be scored before anything else can be ordered: what follows depends on the score. */
export function awaitsValidation(state: State, model: Model, update: number): boolean {
  const every = validationInterval(state, model);
  if (every === null || isValidated(state, update - 1)) return false;
  return update % every === 0 || update - 1 === model.numUpdates;
}

/** Whether the worker stands at the best weights so far and has not kept them yet. */
export function awaitsKeeping(state: State, model: Model, update: number): boolean {
  return keepsBest(state, model) && bestOf(state.validations)?.step === update - 1 && state.best?.step !== update - 1;
}

/** Whether the worker stands at the end with other weights than the best; what it keeps there first is the best. */
export function awaitsRestoring(state: State, model: Model, update: number): boolean {
  const { best, attempt } = state;
  if (!keepsBest(state, model) || update - 1 !== model.numUpdates || awaitsKeeping(state, model, update)) return false;
  return best !== null && best.step !== update - 1 && attempt?.restored !== true;
}

function keepsBest({ config }: State, model: Model): boolean {
  return config.evaluate?.keep === "best" && model.canKeepBest;
}

/** The highest score; the earliest of equal ones, so that training longer must pay. Null before the first finite one. */
export function bestOf(
  validations: readonly Validation[],
): (Omit<Validation, "score"> & { readonly score: number }) | null {
  return validations.reduce<ReturnType<typeof bestOf>>((best, { score, ...validation }) => {
    if (!isFinite(score)) return best;
    const better = best === null || score > best.score || (score === best.score && validation.step < best.step);
    return better ? { ...validation, score } : best;
  }, null);
}

export function isValidated({ validations }: State, step: number): boolean {
  return validations.some((validation) => validation.step === step);
}

/** What `restore_best` means, for the worker to verify it. */
export function bestToRestore({ best }: State): Pick<Body<"grant">, "best"> {
  if (best === null) return {};
  return { best: { path: best.path, step: best.step, manifest_sha256: best.manifestSha256 } };
}
