import type { RunConfig } from "../config/attached.js";
import type { Body, MetricValue, Order } from "../protocol/messages.js";
import type { OperatorRequest } from "./events.js";
import type { Attempt } from "./attempt/attempt.js";
import type { RuleJudgement, RulePrefix } from "./detector/series-rule.js";
import type { BudgetChoice } from "./probe-budget.js";
import type { PointSeries } from "./point-series.js";
import type { Provenance } from "./provenance.js";
import type { Series } from "./series.js";

/** Raised whenever a recorded history would reduce differently. */
export const CORE_VERSION = 1;

export type IntervalSource = "online" | "fixed" | "cap" | "operator";

/** k, the unfreezing interval (or the update of the switch), counted from the start of the intervention, and its source. */
export interface Interval {
  readonly k: number;
  readonly source: IntervalSource;
  readonly signal: string | null;
  /** The boundary at which it was decided; 0 when it was fixed from the start. */
  readonly decidedAt: number;
  readonly kOffline: number | null;
  readonly kOfflineReason: string | null;
}

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly manifestSha256: string;
  readonly weightsSha256: string;
}

/** What the first `ready` told about the model; later attempts must tell the same. */
export interface Model {
  /** From the top down. Those that train from the start do so with the head, and are never unfrozen. */
  readonly blocks: readonly {
    readonly name: string;
    readonly numParams: number;
    readonly trainableFromStart: boolean;
  }[];
  readonly head: { readonly name: string; readonly numParams: number };
  /** N; null where a user's script has no known end. */
  readonly numUpdates: number | null;
  readonly updatesPerEpoch: number | null;
  readonly canCheckpoint: boolean;
  readonly canEvaluate: boolean;
  readonly canValidate: boolean;
  readonly canKeepBest: boolean;
  readonly device: string;
  readonly threads: number;
  /** Examples that the probes put through the network at once; null where the worker did not say. */
  readonly microBatch: number | null;
  /** Whether the head was drawn anew over given weights; null where the seed drew all. */
  readonly newHead: boolean | null;
}

/** One boundary's value of one metric, as first measured. */
export interface SeriesPoint {
  readonly update: number;
  readonly value: MetricValue;
  readonly standardError: MetricValue | null;
  readonly changeError: MetricValue | null;
  readonly spanError: MetricValue | null;
  readonly seconds: number;
}

export interface Evaluation {
  readonly step: number;
  readonly split: string;
  readonly values: Readonly<Record<string, MetricValue>>;
  readonly numExamples: number;
  readonly provenance: Provenance;
}

/** Scores on the development set. */
export interface Validation {
  readonly step: number;
  readonly values: Readonly<Record<string, MetricValue>>;
  /** The first of the values, by which weights are compared. */
  readonly score: MetricValue;
  readonly numExamples: number;
}

export type BestValidation = Omit<Validation, "score"> & { readonly score: number };

/** A change that an operator made, by the update in which it takes effect. */
export type OperatorChange =
  | { readonly kind: "unfreeze"; readonly update: number }
  | { readonly kind: "learningRate"; readonly update: number; readonly factor: number };

export interface ReceivedRequest {
  readonly id: string;
  readonly who: string;
  readonly request: OperatorRequest;
}

export type RunEnd =
  | {
      readonly outcome: "finished";
      readonly exitCode: 0;
      /** The training ended by itself after `step` of the updates that it had announced. */
      readonly early?: { readonly step: number; readonly announced: number };
    }
  | { readonly outcome: "stopped"; readonly exitCode: 130; readonly message: string }
  | {
      readonly outcome: "failed";
      readonly exitCode: 1 | 2;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

export type SpentSeconds = Readonly<Body<"boundary">["seconds"]>;

/** The metrics by their keys. */
export type MetricSeries = Readonly<Record<string, PointSeries>>;

/** What was measured, and what the online rule made of it. */
export interface SignalRecord {
  readonly series: MetricSeries;
  /** Points that a script has gone back before, for comparison with what it measures again. */
  readonly voided: MetricSeries;
  readonly judgement: RuleJudgement | null;
  /** What was judged: the points that the online rule has read, and what it keeps of them. */
  readonly prefix: SignalPrefix | null;
  /** The last boundary that the online rule has judged: during recovery earlier ones are not judged again. */
  readonly judgedUntil: number;
  readonly timing: Timing | null;
  /** Null as long as `probe.every` holds. */
  readonly grid: Grid | null;
  /** Points that are not on the grid, for comparison with what recovery measures again. */
  readonly dropped: MetricSeries;
}

/** The part of a signal that the online rule has read. */
export interface SignalPrefix {
  readonly points: PointSeries;
  /** Of those, the finite ones. */
  readonly read: RulePrefix;
}

/** What measuring and training take in one attempt, without what their beginning takes once. */
export interface Timing {
  readonly attempt: number;
  /** Measurements of this attempt so far. */
  readonly measured: number;
  /** Seconds of measuring since the first of them. */
  readonly probe: number;
  /** The boundary of the second one, and the seconds of training since. */
  readonly since: number | null;
  readonly train: number;
}

/** What `probe.budget` has made of `probe.every`. */
export interface Grid {
  /** Updates between two points. */
  readonly every: number;
  /** The last boundary at which the configured `every` holds. */
  readonly from: number;
  /** Null where a script brought it along from another run. */
  readonly choice: BudgetChoice | null;
}

/** How far each block was from where the run began, as the worker stood before `update`. */
export interface Moved {
  readonly update: number;
  /** ||w - w0|| / ||w0|| of the head, then of the blocks from the top down; null where that has no meaning. */
  readonly distances: readonly (MetricValue | null)[];
}

/** How far the run has come, and what that took. */
export interface Progress {
  /** The furthest boundary ever reached. */
  readonly frontier: number;
  /** The present attempt's last word about it, which runs ahead of boundaries. */
  readonly latest: Body<"progress"> | null;
  /** The last training loss; all of them are for the views, which keep what they draw. */
  readonly loss: { readonly step: number; readonly loss: MetricValue } | null;
  readonly seconds: SpentSeconds;
  /** At the furthest boundary; null where the worker does not know the weights that the run began with. */
  readonly moved: Moved | null;
}

/** What operators asked for, and what of it is still to come. */
export interface OperatorRecord {
  /** Accepted requests that are not due yet. */
  readonly requests: readonly ReceivedRequest[];
  /** Of every request ever received. */
  readonly ids: Series<string>;
  readonly changes: readonly OperatorChange[];
  /** Accepted changes whose `applied` is still to come. */
  readonly unconfirmed: readonly { readonly id: string; readonly update: number }[];
  /** Orders to go with the next grant. */
  readonly orders: readonly { readonly id: string; readonly order: Order }[];
  readonly paused: boolean;
  /** By whom the run is being stopped: a signal to the controller, or an operator's request. */
  readonly interrupted: "interrupted" | "operator" | null;
}

/** The weights that are on the disk. */
export interface StoredWeights {
  readonly checkpoints: readonly Checkpoint[];
  /** The furthest step ever checkpointed, kept or not: one that is written again is no progress. */
  readonly furthestCheckpoint: number;
  /** The best ones; null before the first. */
  readonly best: Checkpoint | null;
  /** Of those that the finished run leaves. */
  readonly sha256: string | null;
  /** Why these have none. */
  readonly unhashed?: string;
}

export interface Scores {
  /** By step and split. */
  readonly evaluations: Series<Evaluation>;
  /** Evaluations that are complete, by the update before which they ran. */
  readonly evaluatedAt: Series<number>;
  /** By step. */
  readonly validations: Series<Validation>;
  /** Of the validations, the one by which the best weights are told; null before the first finite score. */
  readonly best: BestValidation | null;
}

/** Everything the controller knows. Serializable, never mutated, derived from the journal alone. */
export interface State {
  readonly run: string;
  readonly config: RunConfig;
  readonly coreVersion: number;
  readonly term: number;
  readonly attempt: Attempt | null;
  /** `launched`: how many attempts there have been; `restarts`: launches since the last newer checkpoint. */
  readonly attempts: { readonly launched: number; readonly restarts: number };
  readonly software: Readonly<Record<string, string>> | null;
  readonly model: Model | null;
  readonly progress: Progress;
  readonly signal: SignalRecord;
  readonly interval: Interval | null;
  /** Mask and learning-rate factor that the decision log last named, and their first update; null before the first grant. */
  readonly announced: {
    readonly update: number;
    readonly trainable: readonly string[];
    readonly factor: number;
  } | null;
  /** The run, and its step, that a script's checkpoint brought into this new one. */
  readonly adopted: { readonly run: string; readonly step: number } | null;
  readonly operator: OperatorRecord;
  readonly weights: StoredWeights;
  readonly scores: Scores;
  /** Reasons for which the run is no longer promised to be bit-identical to an undisturbed one; empty while it is. */
  readonly identityDropped: Series<string>;
  readonly end: RunEnd | null;
}
