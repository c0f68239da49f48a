import type { MetricValue } from "../../protocol/messages.js";
import type { PointSeries } from "../point-series.js";
import type { SeriesPoint, SignalPrefix } from "../state.js";
import { isRecorded, recordedNameOf } from "../../metrics.js";
import type { FinitePoint, SeriesReader } from "./series-rule.js";

/** Metric key of a signal by its configuration name. */
export function signalKey(signal: string): string {
  return isRecorded(signal) ? recordedKey(recordedNameOf(signal)) : `${PROBE_PREFIX}${signal}`;
}

const PROBE_PREFIX = "probe/";
const RECORDED_PREFIX = "recorded/";

/** Metric key of what a script records. */
export function recordedKey(name: string): string {
  return `${RECORDED_PREFIX}${name}`;
}

/** The name under which a script recorded a series; null for one that was measured. */
export function recordedNameIn(key: string): string | null {
  return key.startsWith(RECORDED_PREFIX) ? key.slice(RECORDED_PREFIX.length) : null;
}

/** The inverse of `signalKey`. */
export function signalOf(key: string): string {
  const name = recordedNameIn(key);
  return name === null ? key.slice(PROBE_PREFIX.length) : `recorded:${name}`;
}

/** What a script has recorded so far, in the order in which it began to. */
export function recordedNames(series: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(series).flatMap((key) => recordedNameIn(key) ?? []);
}

export function isFinite(value: MetricValue | null): value is number {
  return typeof value === "number";
}

export function describeMetricValue(value: MetricValue): string {
  return typeof value === "number" ? String(value) : value.non_finite;
}

/** The points of a series that the detector may read: finite ones, up to and including boundary `until`. */
export function finitePoints(series: Iterable<SeriesPoint>, until: number): FinitePoint[] {
  const points: FinitePoint[] = [];
  for (const point of series) {
    const finite = point.update <= until ? finitePoint(point) : null;
    if (finite !== null) points.push(finite);
  }
  return points;
}

function finitePoint({ update, value, standardError, changeError, spanError }: SeriesPoint): FinitePoint | null {
  if (!isFinite(value)) return null;
  return {
    update,
    value,
    standardError: isFinite(standardError) ? standardError : null,
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
  { empty, read }: SeriesReader,
): SignalPrefix {
  const isNewer = before !== null && series.continues(before.points);
  const known = isNewer && (before.points.at(-1)?.update ?? 0) <= until ? before : null;
  let prefix = known?.read ?? empty();
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
