import type { Evaluation, State } from "../core/state.js";

/** What was scored last, split by split. */
export function finalEvaluations(state: State): readonly Evaluation[] {
  const evaluations = [...state.scores.evaluations];
  const last = evaluations.reduce((step, entry) => Math.max(step, entry.step), 0);
  return evaluations.filter((entry) => entry.step === last);
}
