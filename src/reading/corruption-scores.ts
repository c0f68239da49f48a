import { isFinite } from "../core/detector/signal.js";
import { wantedEpochEnds } from "../core/epoch-ends.js";
import type { Evaluation, State } from "../core/state.js";
import { finalEvaluations } from "./final-evaluations.js";
import { languageOf } from "./language-scores.js";

/** The split of clean images that took the way of the corrupted ones. */
export const CLEAN_SPLIT = "clean";

/** Accuracies under corruptions, shares of 1. */
export interface CorruptionScores {
  /** The mean over the corruptions that count, of each the mean over its severities. */
  readonly mean: number;
  readonly per_corruption: Readonly<Record<string, number>>;
  /** Why a corruption is not in the mean; one that could not be made is not in `per_corruption` either. */
  readonly left_out: Readonly<Record<string, string>>;
  /** What a corruption was regenerated with, besides the clean images: the pictures of frost. */
  readonly made_with: Readonly<Record<string, string>>;
  /** Images of one corruption at each of its severities. */
  readonly images_per_corruption: number;
  readonly regenerated: boolean;
  /**
   * The accuracy on the same images without a corruption, `as_corrupted` ones are read and `direct`ly: where the two
   * differ, one of the ways is wrong. Null where the worker did not say.
   */
  readonly clean: { readonly as_corrupted: number; readonly direct: number } | null;
  /** Of the ends of the last epochs, where a run asked for them with `evaluate.ood_last_epochs`; else null. */
  readonly last_epochs: LastEpochs | null;
}

/** `standard_deviation` is that of a sample; null of fewer than two. */
export interface LastEpochs {
  readonly each: readonly { readonly step: number; readonly mean: number; readonly in_dist: number | null }[];
  readonly min: number;
  readonly max: number;
  readonly standard_deviation: number | null;
}

export function corruptionScores(state: State): CorruptionScores | null {
  const evaluations = finalEvaluations(state);
  const entries = evaluations.filter(isCorruption);
  const first = entries[0];
  const compared = meanOf(entries);
  if (first === undefined || compared === null) return null;
  return {
    mean: compared,
    per_corruption: Object.fromEntries(accuraciesOf(entries)),
    left_out: wordsByCorruption(entries, "leftOut"),
    made_with: wordsByCorruption(entries, "madeWith"),
    images_per_corruption: first.numExamples,
    regenerated: entries.some(({ provenance }) => provenance.regenerated),
    clean: cleanScores(evaluations),
    last_epochs: lastEpochs(state),
  };
}

function isCorruption({ split }: Evaluation): boolean {
  return split.startsWith("ood/") && languageOf(split) === null;
}

function accuraciesOf(entries: readonly Evaluation[]): (readonly [string, number])[] {
  return entries.flatMap(({ split, values }) => {
    const accuracy = values["accuracy"];
    return accuracy !== undefined && isFinite(accuracy) ? [[split.slice("ood/".length), accuracy] as const] : [];
  });
}

/** Over the corruptions that count; null where none does. */
function meanOf(entries: readonly Evaluation[]): number | null {
  const leftOut = wordsByCorruption(entries, "leftOut");
  const compared = accuraciesOf(entries).filter(([corruption]) => !Object.hasOwn(leftOut, corruption));
  return compared.length === 0 ? null : compared.reduce((sum, [, accuracy]) => sum + accuracy, 0) / compared.length;
}

/** What the evaluations say under `key`, by corruption; those that say nothing are not in it. */
function wordsByCorruption(entries: readonly Evaluation[], key: "leftOut" | "madeWith"): Record<string, string> {
  return Object.fromEntries(
    entries.flatMap(({ split, provenance }) => {
      const words = provenance[key];
      return words === null ? [] : [[split.slice("ood/".length), words] as const];
    }),
  );
}

function cleanScores(entries: readonly Evaluation[]): CorruptionScores["clean"] {
  const values = entries.find(({ split }) => split === CLEAN_SPLIT)?.values ?? {};
  const [asCorrupted, direct] = [values["accuracy"], values["accuracy/direct"]];
  const isKnown = asCorrupted !== undefined && direct !== undefined && isFinite(asCorrupted) && isFinite(direct);
  return isKnown ? { as_corrupted: asCorrupted, direct } : null;
}

function lastEpochs(state: State): LastEpochs | null {
  const wanted = state.model === null ? [] : wantedEpochEnds(state, state.model);
  const each = wanted.flatMap((step) => {
    const entries = [...state.scores.evaluations.where((entry) => entry.step === step)];
    const mean = meanOf(entries.filter(isCorruption));
    const inDist = entries.find(({ split }) => split === "in_dist")?.values["accuracy"];
    return mean === null ? [] : [{ step, mean, in_dist: inDist !== undefined && isFinite(inDist) ? inDist : null }];
  });
  if (each.length === 0) return null;
  const means = each.map(({ mean }) => mean);
  return {
    each,
    min: Math.min(...means),
    max: Math.max(...means),
    standard_deviation: standardDeviation(means),
  };
}

function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
