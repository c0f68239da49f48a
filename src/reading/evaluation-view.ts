/** What the views show of an evaluation, computed from the state, like the selectors. */
import { CLEAN_SPLIT } from "./corruption-scores.js";
import { isForeign, languageOf } from "./language-scores.js";
import { isFinite } from "../core/detector/signal.js";
import type { Provenance } from "../core/provenance.js";
import type { Evaluation, State } from "../core/state.js";

export interface SplitScore {
  readonly split: string;
  /** Accuracy where the split has one, else its first value. */
  readonly value: number | null;
  readonly numExamples: number;
  readonly provenance: Provenance;
}

export interface MeanScore {
  /** The test set whose languages it is the mean of; null for the mean over corruptions. */
  readonly testSet: string | null;
  readonly value: number;
  readonly numCompared: number;
}

export interface EvaluationView {
  readonly step: number;
  /** Name of the score that is shown: `accuracy`, or `f1`. */
  readonly score: string;
  readonly inDist: readonly SplitScore[];
  /** Out-of-distribution splits, without their `ood/` prefix, as they came in. */
  readonly ood: readonly SplitScore[];
  /** Means of the scores so far: over the corruptions that count, or X-ling of each test set in languages. */
  readonly means: readonly MeanScore[];
  /** Whether any out-of-distribution examples were regenerated, and any images of this step came from JPEG files. */
  readonly origin: Pick<Provenance, "regenerated" | "fromJpeg">;
  readonly complete: boolean;
}

/** The evaluation of the latest step, or null before the first result. */
export function selectEvaluation(state: State): EvaluationView | null {
  const step = state.scores.evaluations.at(-1)?.step;
  if (step === undefined) return null;
  const entries = [...state.scores.evaluations.where((entry) => entry.step === step)];
  const scores = entries.map(scoreOf);
  const ood = scores
    .filter(({ split }) => split.startsWith("ood/"))
    .map((score) => ({ ...score, split: score.split.slice("ood/".length) }));
  return {
    step,
    score: scoreName(entries.at(-1)!.values),
    inDist: scores.filter(({ split }) => !split.startsWith("ood/") && split !== CLEAN_SPLIT),
    ood,
    means: meansOf(scores),
    origin: {
      regenerated: ood.some(({ provenance }) => provenance.regenerated),
      fromJpeg: scores.some(({ provenance }) => provenance.fromJpeg),
    },
    complete: state.scores.evaluatedAt.has(step + 1),
  };
}

function meansOf(scores: readonly SplitScore[]): MeanScore[] {
  const compared = new Map<string | null, number[]>();
  for (const { split, value, provenance } of scores) {
    const of = languageOf(split);
    if (!split.startsWith("ood/") || value === null || provenance.leftOut !== null) continue;
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
  const { split, values, numExamples, provenance } = evaluation;
  const value = values[scoreName(values)] ?? null;
  return { split, value: isFinite(value) ? value : null, numExamples, provenance };
}
