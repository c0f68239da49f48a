import type { RunConfig } from "../config/attached.js";
import type { MeasuredProbe } from "../config/schema.js";
import { DEFAULT_EPSILON, metricRow } from "../metrics.js";
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
}

/** The rule by which k is decided; where it is not, what a reader of the first series may ask about. */
export function detectorRule({ intervention, probe }: Pick<RunConfig, "intervention" | "probe">): DetectorRule {
  const rule = onlineRule(intervention);
  if (rule !== null) return rule;
  const metrics: readonly string[] = measuredBy({ probe })?.metrics ?? [];
  const signal = metrics.find((metric) => metricRow(metric)?.tau != null) ?? "fisher_trace";
  return { signal, tau: metricRow(signal)?.tau ?? 3, epsilon: DEFAULT_EPSILON };
}
