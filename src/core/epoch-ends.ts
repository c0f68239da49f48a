import type { Model, State } from "./state.js";

/**
 * The ends of the last `evaluate.ood_last_epochs` epochs of a run, as steps, ascending; the last is the run's own. They
 * are counted back from there, so that a run told in updates has them as well. Empty where nobody asked.
 */
export function wantedEpochEnds({ config }: Pick<State, "config">, model: Model): readonly number[] {
  const epochs = config.evaluate?.ood_last_epochs ?? null;
  const { numUpdates, updatesPerEpoch } = model;
  if (epochs === null || numUpdates === null || updatesPerEpoch === null) return [];
  const ends = Array.from({ length: epochs }, (_, back) => numUpdates - back * updatesPerEpoch);
  return ends.filter((step) => step >= 1).reverse();
}

/** Whether the worker, before `update`, stands at one of them and has yet to evaluate there. */
export function awaitsEpochEnd(state: State, model: Model, update: number): boolean {
  return wantedEpochEnds(state, model).includes(update - 1) && !state.scores.evaluatedAt.has(update);
}

/** The next boundary at one of them after `update`; null where there is none. */
export function nextEpochEnd(state: State, model: Model, update: number): number | null {
  const step = wantedEpochEnds(state, model).find((end) => end >= update);
  return step === undefined ? null : step + 1;
}
