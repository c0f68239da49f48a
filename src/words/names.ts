import type { RunConfig } from "../config/attached.js";
import type { Config } from "../config/schema.js";
import type { RunPhase } from "../reading/selectors.js";
import type { Provenance } from "../core/provenance.js";
import type { IntervalSource } from "../core/state.js";
import { splitKey } from "../core/block-series.js";
import { recordedNameIn } from "../core/detector/signal.js";
import { isRecorded, METRICS, metricRow, recordedNameOf } from "../metrics.js";

/** A signal as people call it, by its configuration name or its metric key; one of a script's own keeps its name. */
export function signalName(signal: string): string {
  const recorded = isRecorded(signal) ? recordedNameOf(signal) : recordedNameIn(signal);
  if (recorded !== null) return recorded;
  const parts = splitKey(signal);
  if (parts !== null) return `${signalName(parts.metric)} of ${parts.block}`;
  const name = signal.replace("probe/", "");
  return metricRow(name)?.label ?? COMPANIONS[name] ?? name;
}

/** What is journaled beside metrics. */
const COMPANIONS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...METRICS.map((metric) => metricRow(metric)?.companions),
) as Record<string, string>;

/** What a signal's values are, for the title of its chart. */
export function signalUnit(signal: string): string {
  return metricRow(signal)?.unit ?? "";
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
export function describeOrigin(
  { regenerated, fromJpeg }: Pick<Provenance, "regenerated" | "fromJpeg">,
  prefix = "",
): string {
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
