/**
 * Everything that can be measured, a row each: what it is called, what its values are, whether it may decide k, which
 * keys of `probe` concern it, and what is journaled beside it. `MEASURES` in python/thawline/probes/measures.py
 * has the same names; a test holds the two together.
 */

/** Keys of `probe` that concern some metrics only. */
export type ProbeOption =
  | "scope"
  | "rho"
  | "draws"
  | "noise"
  | "iterations"
  | "search"
  | "search_tolerance"
  | "worst_value"
  | "labels"
  | "estimator";

interface MetricRow {
  /** What people call it. */
  readonly label: string;
  /** What its values are, for the title of a chart; empty where the label says it. */
  readonly unit: string;
  /** The detector's default window in points, for a metric that may decide k; null: it is recorded only. */
  readonly tau: number | null;
  readonly options: readonly ProbeOption[];
  /** Whether it is of the one vector that a classifier reads, so that a model without one cannot have it. */
  readonly ofFeatures?: true;
  /** What is journaled beside it, under these keys. */
  readonly companions: Readonly<Record<string, string>>;
}

/** Windows that behaved well on recorded series; the sharpness measures are noisier (paper, appendix D). */
export const METRIC_TABLE = {
  fisher_trace: {
    label: "tr(F)",
    unit: "per parameter",
    tau: 3,
    options: ["scope", "labels", "estimator"],
    companions: {
      fisher_trace_sum: "tr(F) as a sum",
      fisher_trace_num_parameters: "parameters in the scope of tr(F)",
      label_uncertainty: "label uncertainty",
      feature_norm_squared: "squared feature norm",
    },
  },
  sharpness_avg: {
    label: "average sharpness",
    unit: "loss increase",
    tau: 8,
    options: ["scope", "rho", "draws", "noise"],
    companions: {},
  },
  sharpness_worst: {
    label: "worst-case sharpness",
    unit: "loss increase",
    tau: 8,
    options: ["scope", "rho", "iterations", "search", "search_tolerance", "worst_value"],
    companions: {
      sharpness_worst_last: "worst-case sharpness, last iterate",
      sharpness_worst_gradients: "gradients a batch of worst-case sharpness",
    },
  },
  critical_sharpness: {
    label: "critical sharpness",
    unit: "2 / critical learning rate",
    tau: 8,
    options: ["scope"],
    companions: { critical_learning_rate: "critical learning rate" },
  },
  hessian_lambda_max: {
    label: "largest Hessian eigenvalue",
    unit: "",
    tau: null,
    options: ["scope"],
    companions: { hessian_lambda_max_residual: "residual of the Hessian eigenvalue" },
  },
  feature_lambda_max: {
    label: "largest feature eigenvalue",
    unit: "",
    tau: null,
    options: [],
    ofFeatures: true,
    companions: {},
  },
  feature_rank: {
    label: "feature rank",
    unit: "",
    tau: null,
    options: [],
    ofFeatures: true,
    companions: {
      feature_numerical_rank: "numerical feature rank",
      feature_entropy_rank: "entropy feature rank",
    },
  },
  gradient_norm: {
    label: "gradient norm",
    unit: "",
    tau: null,
    options: ["scope"],
    companions: { loss: "probe loss" },
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type Metric = keyof typeof METRIC_TABLE;
/** A metric that may decide k. */
export type Signal = { [M in Metric]: (typeof METRIC_TABLE)[M]["tau"] extends number ? M : never }[Metric];

export const METRICS = Object.keys(METRIC_TABLE) as [Metric, ...Metric[]];
export const SIGNALS = METRICS.filter((metric): metric is Signal => METRIC_TABLE[metric].tau !== null) as [
  Signal,
  ...Signal[],
];

/** The row of a metric by its configuration name; null for one of a script's own. */
export function metricRow(name: string): MetricRow | null {
  return Object.hasOwn(METRIC_TABLE, name) ? METRIC_TABLE[name as Metric] : null;
}

/** The window of a recorded signal, whose points are few: evaluations and not probes. */
export const RECORDED_TAU = 3;

/** The detector's tolerance where none is configured: the paper's, a share of the signal's range. */
export const DEFAULT_EPSILON = 0.02;

/** What a script may call a number that it records: a word of a configuration, a file name and a series at once. */
export const RECORDED_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,63}$/;
/** Names that a script may record under: each is a series of its own, and all of them may ride in one message. */
export const MOST_RECORDED = 64;

/** Before the name, in the place of a signal: `recorded:validation_loss`. */
const RECORDED_PREFIX = "recorded:";
export type RecordedSignal = `${typeof RECORDED_PREFIX}${string}`;

export function isRecorded(signal: string): signal is RecordedSignal {
  return signal.startsWith(RECORDED_PREFIX);
}

/** What the script has to record for this signal. */
export function recordedNameOf(signal: RecordedSignal): string {
  return signal.slice(RECORDED_PREFIX.length);
}

const DEVELOPMENT_PREFIX = "development_";

/** Under which name a built-in training records a score on its development set. */
export function developmentSignal(score: string): string {
  return `${DEVELOPMENT_PREFIX}${score}`;
}

/** Under which name it records the loss there. */
export const VALIDATION_LOSS = "validation_loss";

/** Which values are better of what a built-in training records: of scores higher ones. */
export function betterInTraining(name: string): "min" | "max" | null {
  if (name === VALIDATION_LOSS) return "min";
  return name.startsWith(DEVELOPMENT_PREFIX) ? "max" : null;
}

/** Whether thawline measures a metric of this name itself: a script records nothing under it. */
export function isMeasuredName(name: string): boolean {
  return metricRow(name) !== null;
}
