import type { RunConfig } from "../config/attached.js";
import { isRecorded } from "../metrics.js";
import { onlineRule } from "../core/intervention/online-rule.js";
import { droppedUpdates, everyOf } from "../core/grid.js";
import type { BudgetChoice } from "../core/probe-budget.js";
import { corruptionScores, type CorruptionScores } from "./corruption-scores.js";
import { finalEvaluations } from "./final-evaluations.js";
import { selectBlockSignals } from "./block-signals.js";
import { measuredBy } from "../core/measured.js";
import { isFinite } from "../core/detector/signal.js";
import { lastWordOf } from "../core/attempt/attempt.js";
import type { Interval, RunEnd, State } from "../core/state.js";
import { startOf } from "../core/intervention/counting.js";
import { scheduleOf } from "../core/schedule-of-run.js";
import { givenWeights, type GivenWeights } from "./given-weights.js";
import { recordedSeries, type RecordedSeries } from "./recorded-series.js";
import { finiteScores, scoreLanguages, type LanguageScores, type Scores } from "./language-scores.js";
import { warmingUpAt } from "../core/intervention/release-warmup.js";
import { blocksLeftFrozen } from "../core/intervention/schedule.js";

/** Accuracies and other scores are shares of 1. */
export interface Results {
  readonly run: string;
  readonly outcome: "finished" | "stopped" | "failed";
  /** `early`: the training ended by itself before the updates that it had announced, as `message` says. */
  readonly ended: "early" | null;
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
    /** Updates between two points, window and tolerance of the rule; null where it was fixed, `every` where recorded. */
    readonly every: number | null;
    readonly tau: number | null;
    readonly epsilon: number | null;
  } | null;
  /** The options that the signals were measured with. */
  readonly probe: RunConfig["probe"];
  /** What `probe.budget` made of `probe.every`; null where none is set. */
  readonly budget: {
    /** Of training time: what is allowed. */
    readonly share: number;
    /** Updates between two points; null where the run ended before it was chosen. */
    readonly every: number | null;
    /** Whether that keeps it, by what was timed; null where that is not known. */
    readonly kept: boolean | null;
    /** What it was chosen by; null also where a script brought `every` along from another run. */
    readonly timed: {
      readonly seconds_per_measurement: number;
      readonly seconds_per_update: number;
      /** How many that is the mean of. */
      readonly measurements: number;
      readonly updates: number;
      /** Measuring as a share of training with the configured `every`, and with the chosen one. */
      readonly share_configured: number;
      readonly share_chosen: number;
      /** The largest `every` that leaves the points of a decision; null where the end is unknown. */
      readonly largest_every: number | null;
    } | null;
    /** Points that were measured and are not on the grid. */
    readonly dropped_updates: readonly number[];
  } | null;
  /** What the script recorded, by name. */
  readonly recorded: Readonly<Record<string, RecordedSeries>>;
  readonly left_frozen: readonly string[];
  /** Updates over which the rate of a released block rose, and blocks whose warm-up the end cut short; null without. */
  readonly release_warmup: { readonly updates: number; readonly unfinished: readonly string[] } | null;
  /**
   * How far the head and each block were from where the run began, ||w - w0|| / ||w0||, after `step` updates; null where
   * the worker did not know where that was. A block's is null where it has no meaning.
   */
  readonly moved: { readonly step: number; readonly blocks: Readonly<Record<string, number | null>> } | null;
  /**
   * What each metric was of the head and of each block by itself, before `update`, the last one at which they were
   * measured; null where a value is not finite, and for a run that measured no blocks.
   */
  readonly signals_by_block: {
    readonly update: number;
    readonly blocks: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  } | null;
  /** What a network for images began with; null where the seed drew all of its weights. */
  readonly given_weights: GivenWeights | null;
  /** Scores on the clean test images, or on the English part of the first test set that has one. */
  readonly in_dist: (Scores & { readonly num_examples: number }) | null;
  /** Scores of a run on text, by test set; null for a run on images. */
  readonly scores: Readonly<Record<string, LanguageScores>> | null;
  /** The best weights on the development set, which the run leaves and was tested with; null where the last ones are. */
  readonly best: { readonly step: number; readonly development: Scores } | null;
  /** Accuracies of a run on images under corruptions; null where there are none. */
  readonly ood: CorruptionScores | null;
  /** The test images, clean and corrupted, come from JPEG files, which are not those of a benchmark. */
  readonly images_from_jpeg: boolean;
  readonly weights_sha256: string | null;
  /** Why a finished run has none; null otherwise. */
  readonly weights_unhashed: string | null;
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
  const { interval, end } = state;
  const { seconds } = state.progress;
  const rule = onlineRule(state.config.intervention);
  return {
    run: state.run,
    outcome: end?.outcome ?? "stopped",
    ended: end?.outcome === "finished" && end.early !== undefined ? "early" : null,
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
            every:
              rule === null || isRecorded(rule.signal) || measuredBy(state.config) === null ? null : everyOf(state),
            tau: rule?.tau ?? null,
            epsilon: rule?.epsilon ?? null,
          },
    probe: state.config.probe,
    budget: budgetOf(state),
    recorded: recordedSeries(state),
    left_frozen: leftFrozen(state),
    release_warmup: releaseWarmup(state),
    moved: movedBlocks(state),
    signals_by_block: signalsByBlock(state),
    given_weights: givenWeights(state),
    in_dist: inDistribution(state),
    scores: scoreLanguages(finalEvaluations(state), state.config.data),
    best: bestWeights(state),
    ood: corruptionScores(state),
    images_from_jpeg: finalEvaluations(state).some(({ provenance }) => provenance.fromJpeg),
    weights_sha256: state.weights.sha256,
    weights_unhashed: state.weights.unhashed ?? null,
    wall_seconds: wallSeconds,
    train_seconds: seconds.train,
    probe_seconds: seconds.probe,
    controller_wait_seconds: seconds.wait,
    evaluate_seconds: seconds.evaluate,
    checkpoint_seconds: seconds.checkpoint,
    attempts: state.attempts.launched,
    bit_identical: { promised: state.identityDropped.length === 0, dropped_because: [...state.identityDropped] },
    message: end === null ? null : messageOf(end),
  };
}

function budgetOf(state: State): Results["budget"] {
  const share = measuredBy(state.config)?.budget ?? null;
  if (share === null) return null;
  const { grid } = state.signal;
  const choice = grid?.choice ?? null;
  const kept = choice === null ? null : choice.share <= share;
  const timed = choice === null ? null : timedBy(choice);
  return { share, every: grid?.every ?? null, kept, timed, dropped_updates: droppedUpdates(state.signal) };
}

function timedBy(choice: BudgetChoice): NonNullable<Results["budget"]>["timed"] {
  return {
    seconds_per_measurement: choice.secondsPerPoint,
    seconds_per_update: choice.secondsPerUpdate,
    measurements: choice.points,
    updates: choice.updates,
    share_configured: choice.initialShare,
    share_chosen: choice.share,
    largest_every: choice.largest,
  };
}

/** Why a run ended as it did; null where it finished as announced. */
export function messageOf(end: RunEnd): string | null {
  if (end.outcome !== "finished") return end.message;
  return end.early === undefined
    ? null
    : `the training ended itself at update ${end.early.step} of ${end.early.announced}`;
}

function signalsByBlock(state: State): Results["signals_by_block"] {
  const signals = selectBlockSignals(state);
  if (signals === null) return null;
  const blocks = signals.rows.flatMap(({ block, values }) => {
    const named = signals.metrics.map((metric, column): [string, number | null] => {
      const value = values[column]?.value ?? null;
      return [metric, isFinite(value) ? value : null];
    });
    return block === null ? [] : [[block, Object.fromEntries(named)] as const];
  });
  return { update: signals.update, blocks: Object.fromEntries(blocks) };
}

/** Updates that certainly are in the weights: the furthest boundary's, a later checkpoint's, or those of the end. */
export function completedUpdates(state: State): number {
  const word = state.attempt === null ? null : lastWordOf(state.attempt);
  const last = word?.outcome === "finished" ? word.step : 0;
  const saved = state.weights.checkpoints.map((checkpoint) => checkpoint.step);
  return Math.max(0, state.progress.frontier - 1, last, ...saved);
}

function leftFrozen(state: State): string[] {
  const { model } = state;
  return model === null ? [] : blocksLeftFrozen(scheduleOf(state, model), model, completedUpdates(state));
}

function releaseWarmup(state: State): Results["release_warmup"] {
  const { model } = state;
  const schedule = model === null ? null : scheduleOf(state, model);
  if (schedule === null || schedule.releaseWarmup === null) return null;
  const unfinished = warmingUpAt(schedule, completedUpdates(state)).flatMap(({ blocks }) => blocks);
  return { updates: schedule.releaseWarmup, unfinished };
}

function movedBlocks({ model, progress: { moved } }: State): Results["moved"] {
  if (model === null || moved === null) return null;
  const blocks = [model.head, ...model.blocks].map(({ name }, index) => {
    const distance = moved.distances[index] ?? null;
    return [name, isFinite(distance) ? distance : null] as const;
  });
  return { step: moved.update - 1, blocks: Object.fromEntries(blocks) };
}

function inDistribution(state: State): Results["in_dist"] {
  const entry = finalEvaluations(state).find(({ split }) => split === "in_dist");
  const scores = finiteScores(entry?.values ?? {});
  if (entry === undefined || Object.keys(scores).length === 0) return null;
  return { ...scores, num_examples: entry.numExamples };
}

function bestWeights({ weights: { best }, scores: { validations } }: State): Results["best"] {
  const validation = best === null ? undefined : validations.get(best.step);
  return validation === undefined ? null : { step: validation.step, development: finiteScores(validation.values) };
}
