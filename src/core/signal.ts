import type { MetricValue } from "../protocol/messages.js";
import type { SeriesPoint } from "./state.js";
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
export function finitePoints(series: readonly SeriesPoint[], until: number): SignalPoint[] {
  return series.flatMap((point) =>
    isFinite(point.value) && point.update <= until
      ? [
          {
            update: point.update,
            value: point.value,
            changeError: isFinite(point.changeError) ? point.changeError : null,
            spanError: isFinite(point.spanError) ? point.spanError : null,
          },
        ]
      : [],
  );
}

/** Bit equality of two measurements; -0 and 0 differ on the wire of neither side, so they count as equal. */
export function sameMetricValue(a: MetricValue, b: MetricValue): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.non_finite === b.non_finite;
}
