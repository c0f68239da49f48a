import type { RunConfig } from "../config/attached.js";
import type { MeasuredProbe } from "../config/schema.js";
import { betterInTraining, DEFAULT_EPSILON, isRecorded, metricRow, RECORDED_TAU, recordedNameOf } from "../metrics.js";
import { onlineRule } from "./intervention/online-rule.js";

/** How a run measures its signals; null where it measures none. */
export function measuredBy({ probe }: Pick<RunConfig, "probe">): MeasuredProbe | null {
  return "every" in probe ? probe : null;
}

export interface DetectorRule {
  /** Configuration name of a metric. */
  readonly signal: string;
  /** Window in points, and tolerance as a share of the signal's range. */
  readonly tau: number;
  readonly epsilon: number;
  /** Which values of a recorded signal are better; of what is measured none are. */
  readonly mode?: Mode;
}

type Mode = "min" | "max";

/** The rule by which k is decided; where it is not, what a reader of the first series may ask about. */
export function detectorRule({ intervention, probe }: Pick<RunConfig, "intervention" | "probe">): DetectorRule {
  const rule = onlineRule(intervention);
  if (rule !== null) return rule;
  return defaultRule(probe);
}

/** The rule by which measured signals may be asked about, and for whose window the worker pairs their points. */
export function measuredRule(config: Pick<RunConfig, "intervention" | "probe">): DetectorRule {
  const rule = detectorRule(config);
  return isRecorded(rule.signal) ? defaultRule(config.probe) : rule;
}

/**
 * The rule by which a signal is asked about where nobody names one: the run's own, as far as it is for such a signal.
 * `mode` is null where it is not known which values of what a script recorded are better.
 */
export function ruleFor(signal: string, config: RunConfig): Omit<DetectorRule, "mode"> & { mode?: Mode | null } {
  const own = detectorRule(config);
  if (!isRecorded(signal)) return { ...measuredRule(config), signal };
  const isOfScript = config.script !== undefined;
  const known = isOfScript ? null : betterInTraining(recordedNameOf(signal));
  const mode = own.signal === signal ? (own.mode ?? null) : known;
  return { signal, tau: isRecorded(own.signal) ? own.tau : RECORDED_TAU, epsilon: own.epsilon, mode };
}

function defaultRule(probe: RunConfig["probe"]): DetectorRule {
  const metrics: readonly string[] = measuredBy({ probe })?.metrics ?? [];
  const signal = metrics.find((metric) => metricRow(metric)?.tau != null) ?? "fisher_trace";
  return { signal, tau: metricRow(signal)?.tau ?? 3, epsilon: DEFAULT_EPSILON };
}
