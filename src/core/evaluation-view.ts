/** What the views show of an evaluation, computed from the state, like the selectors. */
import { isForeign, languageOf } from "./language-scores.js";
import { isFinite } from "./signal.js";
import type { Evaluation, State } from "./state.js";

export interface SplitScore {
  readonly split: string;
  /** Accuracy where the split has one, else its first value. */
  readonly value: number | null;
  readonly numExamples: number;
  readonly regenerated: boolean;
  readonly fromJpeg: boolean;
  /** Why it does not count in the mean, or null. */
  readonly leftOut: string | null;
}

export interface MeanScore {
  /** Null where it is over corruptions. */
  readonly testSet: string | null;
  readonly value: number;
  readonly numCompared: number;
}

export interface EvaluationView {
  readonly step: number;
  /** Which score is shown, by its name. */
  readonly score: string;
  readonly inDist: readonly SplitScore[];
  /** Out-of-distribution splits, without their `ood/` prefix, as they came in. */
  readonly ood: readonly SplitScore[];
  /** Over what came in so far: of the corruptions that are not left out, or X-ling of each test set in languages. */
  readonly means: readonly MeanScore[];
  readonly regenerated: boolean;
  readonly fromJpeg: boolean;
  readonly complete: boolean;
}

/** The evaluation of the latest step, or null before the first result. */
export function selectEvaluation(state: State): EvaluationView | null {
  const step = state.evaluations.at(-1)?.step;
  if (step === undefined) return null;
  const scores = state.evaluations.filter((entry) => entry.step === step).map(scoreOf);
  const ood = scores
    .filter(({ split }) => split.startsWith("ood/"))
    .map((score) => ({ ...score, split: score.split.slice("ood/".length) }));
  return {
    step,
    score: scoreName(state.evaluations.findLast((entry) => entry.step === step)!.values),
    inDist: scores.filter(({ split }) => !split.startsWith("ood/")),
    ood,
    means: meansOf(scores),
    regenerated: ood.some((score) => score.regenerated),
    fromJpeg: scores.some((score) => score.fromJpeg),
    complete: state.evaluatedAt.includes(step + 1),
  };
}

function meansOf(scores: readonly SplitScore[]): MeanScore[] {
  const compared = new Map<string | null, number[]>();
  for (const { split, value, leftOut } of scores) {
    const of = languageOf(split);
    if (!split.startsWith("ood/") || value === null || leftOut !== null) continue;
    if (of !== null && !isForeign(of.language)) continue;
    const testSet = of?.testSet ?? null;
    compared.set(testSet, [...(compared.get(testSet) ?? []), value]);
  }
  return [...compared].map(([testSet, values]) => {
    const value = values.reduce((sum, one) => sum + one, 0) / values.length;
    return { testSet, value, numCompared: values.length };
  });
}

function scoreName(values: Evaluation["values"]): string {
  return "accuracy" in values ? "accuracy" : (Object.keys(values)[0] ?? "accuracy");
}

function scoreOf(evaluation: Evaluation): SplitScore {
  const { split, values, numExamples, regenerated, fromJpeg, leftOut } = evaluation;
  const value = values[scoreName(values)] ?? null;
  return { split, value: isFinite(value) ? value : null, numExamples, regenerated, fromJpeg, leftOut };
}
