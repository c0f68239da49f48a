import type { MetricValue } from "../../protocol/messages.js";
import type { PointSeries } from "../point-series.js";
import type { SeriesPoint, SignalPrefix } from "../state.js";
import { emptyPrefix, read } from "./prefix.js";
import type { SignalPoint } from "./stabilization.js";

/** Metric key of a signal by its configuration name. */
export function signalKey(signal: string): string {
  return `probe/${signal}`;
}

export function isFinite(value: MetricValue | null): value is number {
  return typeof value === "number";
}

export function describeMetricValue(value: MetricValue): string {
  return typeof value === "number" ? String(value) : value.non_finite;
}

/** The points of a series that the detector may read: finite ones, up to and including boundary `until`. */
export function finitePoints(series: Iterable<SeriesPoint>, until: number): SignalPoint[] {
  return [...series].flatMap((point) => (point.update <= until ? (finitePoint(point) ?? []) : []));
}

function finitePoint({ update, value, changeError, spanError }: SeriesPoint): SignalPoint | null {
  if (!isFinite(value)) return null;
  return {
    update,
    value,
    changeError: isFinite(changeError) ? changeError : null,
    spanError: isFinite(spanError) ? spanError : null,
  };
}

/**
 * What the detector has read of a series at boundary `until`: what it had read before and what came since, or everything
 * again where the series is another one since (a point came late, a script went back).
 */
export function readUntil(
  before: SignalPrefix | null,
  series: PointSeries,
  until: number,
  window: number,
): SignalPrefix {
  const isNewer = before !== null && before.read.window === window && series.continues(before.points);
  const known = isNewer && (before.points.at(-1)?.update ?? 0) <= until ? before : null;
  let prefix = known?.read ?? emptyPrefix(window);
  let length = known?.points.length ?? 0;
  for (let point = series.at(length); point !== undefined && point.update <= until; point = series.at(length)) {
    const finite = finitePoint(point);
    if (finite !== null) prefix = read(prefix, finite);
    length += 1;
  }
  return { points: series.take(length), read: prefix };
}

/** Bit equality of two measurements; -0 and 0 differ on the wire of neither side, so they count as equal. */
export function sameMetricValue(a: MetricValue, b: MetricValue): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.non_finite === b.non_finite;
}
