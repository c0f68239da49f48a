import type { RunConfig } from "../config/attached.js";
import type { Body, MetricValue, Order } from "../protocol/messages.js";
import type { OperatorCommand } from "./events.js";
import type { Judgement } from "./stabilization.js";

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
  readonly regenerated: boolean;
  /** The images it was made from were JPEG files. */
  readonly fromJpeg: boolean;
  /** Why an out-of-distribution split does not count in their mean, or null. */
  readonly leftOut: string | null;
  /** What it was regenerated with, besides the clean data, or null. */
  readonly madeWith: string | null;
}

/** Scores on the development set. */
export interface Validation {
  readonly step: number;
  readonly values: Readonly<Record<string, MetricValue>>;
  /** The first of the values, by which weights are compared. */
  readonly score: MetricValue;
  readonly numExamples: number;
}

/** A change that an operator made, by the update in which it takes effect. */
export type OperatorChange =
  | { readonly kind: "unfreeze"; readonly update: number }
  | { readonly kind: "learningRate"; readonly update: number; readonly factor: number };

export interface OperatorRequest {
  readonly id: string;
  readonly who: string;
  readonly command: OperatorCommand;
}

export type AttemptStage = "launching" | "connecting" | "preparing" | "training" | "waiting" | "stopping" | "closed";

export interface Attempt {
  readonly number: number;
  readonly stage: AttemptStage;
  readonly pid: number | null;
  readonly startTime: string | null;
  readonly resumeFrom: Checkpoint | null;
  /** The boundary at which the worker stands, or stood last. */
  readonly update: number;
  /** The grant under way, while training. */
  readonly grant: Body<"grant"> | null;
  /** Mask and factor of the last grant, to know what the next one changes; null before the first. */
  readonly held: { readonly trainable: readonly string[]; readonly factor: number } | null;
  readonly recalled: boolean;
  /** Whether the worker has said what it did with its last grant. */
  readonly applied: boolean;
  /** Whether the worker has put the best weights in the place of the last ones. */
  readonly restored: boolean;
  /** The last boundary that this attempt has measured; a recall can leave one unmeasured. */
  readonly measuredAt: number;
  /** What a script says it has measured in another run, until it is ready. */
  readonly remembered: State["series"];
  readonly closed: Body<"closed"> | null;
  /** Why the controller ended it, when it did. */
  readonly endedBecause: string | null;
  /** Set when no restart can help: how the run ends once the process is gone. */
  readonly refusal: RunEnd | null;
}

export type RunEnd =
  | { readonly outcome: "finished"; readonly exitCode: 0 }
  | { readonly outcome: "stopped"; readonly exitCode: 130; readonly message: string }
  | {
      readonly outcome: "failed";
      readonly exitCode: 1 | 2;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

export type SpentSeconds = Readonly<Body<"boundary">["seconds"]>;

/** Everything the controller knows. Serializable, never mutated, derived from the journal alone. */
export interface State {
  readonly run: string;
  readonly config: RunConfig;
  readonly coreVersion: number;
  readonly epoch: number;
  readonly attempt: Attempt | null;
  readonly numAttempts: number;
  /** Launches since the last newer checkpoint. */
  readonly restarts: number;
  readonly model: Model | null;
  readonly software: Readonly<Record<string, string>> | null;
  readonly interval: Interval | null;
  readonly judgement: Judgement | null;
  /** The last boundary that the policy has judged: during recovery earlier ones are not judged again. */
  readonly judgedUntil: number;
  /** What held when the decision log last named a change, and from which update on; null before the first grant. */
  readonly announced: {
    readonly update: number;
    readonly trainable: readonly string[];
    readonly factor: number;
  } | null;
  /** The furthest boundary ever reached. */
  readonly frontier: number;
  readonly series: Readonly<Record<string, readonly SeriesPoint[]>>;
  /** Points that a script has gone back before, for comparison with what it measures again. */
  readonly voided: Readonly<Record<string, readonly SeriesPoint[]>>;
  /** The run, and its step, that a script's checkpoint brought into this new one. */
  readonly adopted: { readonly run: string; readonly step: number } | null;
  readonly operatorChanges: readonly OperatorChange[];
  readonly operatorRequests: readonly OperatorRequest[];
  readonly operatorIds: readonly string[];
  /** Accepted changes whose `applied` is still to come. */
  readonly unconfirmed: readonly { readonly id: string; readonly update: number }[];
  /** Orders an operator gave, to go with the next grant. */
  readonly operatorOrders: readonly { readonly id: string; readonly order: Order }[];
  readonly paused: boolean;
  readonly interrupted: "interrupted" | "operator" | null;
  readonly checkpoints: readonly Checkpoint[];
  /** The furthest step ever checkpointed, kept or not: one that is written again is no progress. */
  readonly furthestCheckpoint: number;
  readonly evaluations: readonly Evaluation[];
  /** Evaluations that are complete, by the update before which they ran. */
  readonly evaluatedAt: readonly number[];
  readonly validations: readonly Validation[];
  /** The best weights on the disk; null before the first. */
  readonly best: Checkpoint | null;
  readonly progress: Body<"progress"> | null;
  readonly losses: readonly { readonly step: number; readonly loss: MetricValue }[];
  readonly seconds: SpentSeconds;
  readonly identityDropped: readonly string[];
  readonly weightsSha256: string | null;
  readonly end: RunEnd | null;
}
