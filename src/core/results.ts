import type { RunConfig } from "../config/attached.js";
import { isFinite } from "./signal.js";
import type { Interval, State } from "./state.js";
import { startOf } from "./counting.js";
import { scheduleOf } from "./grant.js";
import { finiteScores, languageOf, scoreLanguages, type LanguageScores, type Scores } from "./language-scores.js";
import { blocksLeftFrozen } from "./schedule.js";

/** Accuracies and other scores are shares of 1. */
export interface Results {
  readonly run: string;
  readonly outcome: "finished" | "stopped" | "failed";
  /** Updates completed. */
  readonly updates: number;
  readonly k: {
    readonly value: number;
    readonly source: Interval["source"];
    readonly signal: string | null;
    /** The update in which the intervention began: k counts from there. */
    readonly start: number;
    readonly decided_at_update: number;
    readonly k_offline: number | null;
    readonly k_offline_reason: string | null;
    readonly every: number;
    readonly tau: number;
    readonly epsilon: number;
  } | null;
  /** The options that the signals were measured with. */
  readonly probe: RunConfig["probe"];
  readonly left_frozen: readonly string[];
  /** Of the clean test images, or of the English part of the first test set that has one. */
  readonly in_dist: (Scores & { readonly num_examples: number }) | null;
  /** Of a run on text, by test set. */
  readonly scores: Readonly<Record<string, LanguageScores>> | null;
  /** The best weights on the development set, which the run leaves and was tested with; null where the last ones are. */
  readonly best: { readonly step: number; readonly development: Scores } | null;
  /** Of a run on images. */
  readonly ood: {
    /** Over the corruptions, each the mean over its severities, but for those that are left out. */
    readonly mean: number;
    readonly per_corruption: Readonly<Record<string, number>>;
    /** Why a corruption is not in the mean; one that could not be made is not in `per_corruption` either. */
    readonly left_out: Readonly<Record<string, string>>;
    /** What a corruption was regenerated with, besides the clean images: the pictures of frost. */
    readonly made_with: Readonly<Record<string, string>>;
    /** At each severity. */
    readonly images_per_corruption: number;
    readonly regenerated: boolean;
  } | null;
  /** The test images, clean and corrupted, come from JPEG files, which are not those of a benchmark. */
  readonly images_from_jpeg: boolean;
  readonly weights_sha256: string | null;
  readonly wall_seconds: number;
  readonly train_seconds: number;
  readonly probe_seconds: number;
  readonly controller_wait_seconds: number;
  readonly evaluate_seconds: number;
  readonly checkpoint_seconds: number;
  readonly attempts: number;
  readonly bit_identical: { readonly promised: boolean; readonly dropped_because: readonly string[] };
  readonly message: string | null;
}

/** The content of `results.json`. `wallSeconds` counts while a controller lived, not the time between two of them. */
export function composeResults(state: State, wallSeconds: number): Results {
  const { interval, seconds, end } = state;
  const { every } = state.config.probe;
  const { tau, epsilon } = state.config.intervention;
  return {
    run: state.run,
    outcome: end?.outcome ?? "stopped",
    updates: completedUpdates(state),
    k:
      interval === null
        ? null
        : {
            value: interval.k,
            source: interval.source,
            signal: interval.signal,
            start: startOf(state.config.intervention),
            decided_at_update: interval.decidedAt,
            k_offline: interval.kOffline,
            k_offline_reason: interval.kOfflineReason,
            every,
            tau,
            epsilon,
          },
    probe: state.config.probe,
    left_frozen: leftFrozen(state),
    in_dist: inDistribution(state),
    scores: scoreLanguages(finalEvaluations(state), state.config.data),
    best: bestWeights(state),
    ood: outOfDistribution(state),
    images_from_jpeg: finalEvaluations(state).some((entry) => entry.fromJpeg),
    weights_sha256: state.weightsSha256,
    wall_seconds: wallSeconds,
    train_seconds: seconds.train,
    probe_seconds: seconds.probe,
    controller_wait_seconds: seconds.wait,
    evaluate_seconds: seconds.evaluate,
    checkpoint_seconds: seconds.checkpoint,
    attempts: state.numAttempts,
    bit_identical: { promised: state.identityDropped.length === 0, dropped_because: state.identityDropped },
    message: end === null || end.outcome === "finished" ? null : end.message,
  };
}

/** Updates that certainly are in the weights: the furthest boundary's, or a later checkpoint's. */
export function completedUpdates(state: State): number {
  return Math.max(0, state.frontier - 1, ...state.checkpoints.map((checkpoint) => checkpoint.step));
}

function leftFrozen(state: State): string[] {
  const { model } = state;
  return model === null ? [] : blocksLeftFrozen(scheduleOf(state, model), model, completedUpdates(state));
}

function finalEvaluations(state: State): State["evaluations"] {
  const last = state.evaluations.reduce((step, entry) => Math.max(step, entry.step), 0);
  return state.evaluations.filter((entry) => entry.step === last);
}

function inDistribution(state: State): Results["in_dist"] {
  const entry = finalEvaluations(state).find(({ split }) => split === "in_dist");
  const scores = finiteScores(entry?.values ?? {});
  if (entry === undefined || Object.keys(scores).length === 0) return null;
  return { ...scores, num_examples: entry.numExamples };
}

function bestWeights({ best, validations }: State): Results["best"] {
  const validation = validations.find(({ step }) => step === best?.step);
  return validation === undefined ? null : { step: validation.step, development: finiteScores(validation.values) };
}

function outOfDistribution(state: State): Results["ood"] {
  const entries = finalEvaluations(state).filter(({ split }) => split.startsWith("ood/") && languageOf(split) === null);
  const first = entries[0];
  if (first === undefined) return null;
  const accuracies = entries.flatMap(({ split, values }) => {
    const accuracy = values["accuracy"];
    return accuracy !== undefined && isFinite(accuracy) ? [[split.slice("ood/".length), accuracy] as const] : [];
  });
  const leftOut = wordsByCorruption(entries, "leftOut");
  const compared = accuracies.filter(([corruption]) => !Object.hasOwn(leftOut, corruption));
  if (compared.length === 0) return null;
  return {
    mean: compared.reduce((sum, [, accuracy]) => sum + accuracy, 0) / compared.length,
    per_corruption: Object.fromEntries(accuracies),
    left_out: leftOut,
    made_with: wordsByCorruption(entries, "madeWith"),
    images_per_corruption: first.numExamples,
    regenerated: entries.some((entry) => entry.regenerated),
  };
}

/** Where there is something to say. */
function wordsByCorruption(entries: State["evaluations"], key: "leftOut" | "madeWith"): Record<string, string> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const words = entry[key];
      return words === null ? [] : [[entry.split.slice("ood/".length), words] as const];
    }),
  );
}
