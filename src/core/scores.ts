import { Series } from "./series.js";
import type { Evaluation, Scores, Validation } from "./state.js";

/** Evaluations by step and split: the first result of both stands. */
export function evaluationSeries(evaluations: Iterable<Evaluation>): Series<Evaluation> {
  return Series.of(evaluations, ({ step, split }) => `${step} ${split}`);
}

/** Scores on the development set by step. */
export function validationSeries(validations: Iterable<Validation>): Series<Validation> {
  return Series.of(validations, ({ step }) => step);
}

export const NO_SCORES: Scores = {
  evaluations: evaluationSeries([]),
  evaluatedAt: Series.of<number>([], (update) => update),
  validations: validationSeries([]),
  best: null,
};
