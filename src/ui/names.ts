import type { RunConfig } from "../config/attached.js";
import type { Config } from "../config/schema.js";
import type { RunPhase } from "../core/selectors.js";
import type { IntervalSource } from "../core/state.js";

/** Of signals, of metrics that are recorded only, and of what is journaled beside them. */
const SIGNAL_NAMES: Readonly<Record<string, string>> = {
  fisher_trace: "tr(F)",
  sharpness_avg: "average sharpness",
  sharpness_worst: "worst-case sharpness",
  hessian_lambda_max: "largest Hessian eigenvalue",
  feature_lambda_max: "largest feature eigenvalue",
  feature_rank: "feature rank",
  gradient_norm: "gradient norm",
  loss: "probe loss",
  fisher_trace_sum: "tr(F) as a sum",
  fisher_trace_num_parameters: "parameters in the scope of tr(F)",
  label_uncertainty: "label uncertainty",
  feature_norm_squared: "squared feature norm",
  sharpness_worst_last: "worst-case sharpness, last iterate",
  hessian_lambda_max_residual: "residual of the Hessian eigenvalue",
  feature_numerical_rank: "numerical feature rank",
  feature_entropy_rank: "entropy feature rank",
};

/** A signal as people call it, by its configuration name or its metric key; one of a script's own keeps its name. */
export function signalName(signal: string): string {
  const name = signal.replace("probe/", "");
  return SIGNAL_NAMES[name] ?? name;
}

/** What a signal's values are, for the title of its chart. */
export function signalUnit(signal: string): string {
  return signal === "fisher_trace" ? "per parameter" : signal.startsWith("sharpness") ? "loss increase" : "";
}

const SOURCES: Readonly<Record<IntervalSource, string>> = {
  online: "decided online",
  fixed: "fixed in the configuration",
  cap: "k_max reached: the signal had not stabilized",
  operator: "decided by the operator",
};

export function describeSource(source: IntervalSource): string {
  return SOURCES[source];
}

/** What is to be said of the images behind a number, after `prefix`; empty where they are the published ones. */
export function describeOrigin(regenerated: boolean, fromJpeg: boolean, prefix = ""): string {
  const marks = [...(regenerated ? ["regenerated"] : []), ...(fromJpeg ? ["JPEG images"] : [])];
  return marks.length === 0 ? "" : `${prefix}${marks.join(", ")}`;
}

/** Short enough for a badge. */
export const PHASE_BADGES: Readonly<Record<RunPhase, string>> = {
  starting: "STARTING",
  restarting: "RESTARTING",
  searching: "WAITING FOR k",
  unfreezing: "UNFREEZING",
  training: "TRAINING",
  evaluating: "EVALUATING",
  paused: "PAUSED",
  stopping: "STOPPING",
  finished: "FINISHED",
  stopped: "STOPPED",
  failed: "FAILED",
};

/** `resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail, seed 0`: what made the numbers. */
export function describeConfig(config: RunConfig): string {
  if (config.script !== undefined) return `${config.script.command.join(" ")}, seed ${config.seed}`;
  const { model, data, train, seed } = config;
  const paper = isOfText(config) ? "linear" : "constant";
  // A recipe of another kind is called that where it is shown.
  const { kind } = train.schedule;
  const schedule = kind === paper ? (kind === "constant" ? "" : ` ${kind}`) : ` ${kind} (paper: ${paper})`;
  return `${describeModel(model)} on ${data.kind}, batch ${train.batch_size}, lr ${train.learning_rate}${schedule}, seed ${seed}`;
}

/** Whether it trains a pretrained encoder, not a network for images. */
export function isOfText({ model }: RunConfig): boolean {
  return model !== undefined && "pretrained" in model;
}

function describeModel(model: Config["model"]): string {
  if (model.kind === "resnet18") return `${model.kind} width ${model.width}`;
  if ("pretrained" in model) return describeEncoder(model);
  if ("blocks" in model) {
    const options = Object.entries(model.options).map(([name, value]) => ` ${name} ${String(value)}`);
    return `${model.kind}${options.join("")}`;
  }
  const head = model.head_width === 512 ? "" : ` head width ${model.head_width}`;
  const dropout = model.dropout === 0 ? "" : ` dropout ${model.dropout}`;
  return `${model.kind}${model.batch_norm ? " with BatchNorm" : ""}${head}${dropout}`;
}

/** `multilingual-e5-small with lora r 8`: a folder is named by its last part. */
function describeEncoder({ pretrained, adapter }: Extract<Config["model"], { readonly pretrained: string }>): string {
  const name = pretrained.split("/").findLast((part) => part !== "") ?? pretrained;
  return `${name} with ${adapter.method}${"r" in adapter ? ` r ${adapter.r}` : ""}`;
}
