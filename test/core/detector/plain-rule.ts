import {
  ARMING_FACTOR,
  CALM_CHANGES,
  LEAST_RELATIVE_RANGE,
  type Judgement,
  type OfflineResult,
  type SignalPoint,
  type StabilizationRule,
} from "../../../src/core/detector/stabilization.js";

/*
 * The rules as they are worded, over all points: what those that look at few of them, or make no lists, are held
 * against, bit for bit.
 */

/** Judges the latest point of `points`. */
export function judgePlainly(points: readonly SignalPoint[], rule: StabilizationRule): Judgement {
  const { low, range, relativeRange } = extent(points);
  const changes = smoothedChanges(points, rule.window, low, range);
  const steepestIndex = indexOfLargest(changes);
  const steepest = steepestIndex === null ? null : Math.abs(changes[steepestIndex]!);
  const calm = steepestIndex === null ? 0 : countCalm(changes, steepestIndex, rule.tolerance);
  const armed = steepest !== null && steepest > ARMING_FACTOR * rule.tolerance && relativeRange >= LEAST_RELATIVE_RANGE;
  const noises = changes.map((_, index) => noiseOfChange(points, index + rule.window, rule.window, range));
  const recent = noises.slice(-CALM_CHANGES);
  const quiet = recent.length === CALM_CHANGES && recent.every((noise) => noise !== null && noise < rule.tolerance);
  const fired = armed && calm >= CALM_CHANGES && quiet;
  return {
    phase: fired ? "stable" : armed && calm > 0 ? "settling" : "transient",
    fired,
    points: points.length,
    change: changes.length === 0 ? null : Math.abs(changes[changes.length - 1]!),
    steepest,
    relativeRange,
    noise: noises.length === 0 ? null : noises[noises.length - 1]!,
    calm,
  };
}

/** Algorithm 2 on a whole series, list by list. */
export function findOfflinePlainly(
  points: readonly SignalPoint[],
  rule: StabilizationRule,
  every: number,
): OfflineResult {
  const { low, range, relativeRange } = extent(points);
  const flat = relativeRange < LEAST_RELATIVE_RANGE;
  const nothing = (reason: string): OfflineResult => ({ k: null, flat, reason });
  if (range === 0) return nothing("the signal never changes");
  const normalized = points.map((point) => (point.value - low) / range);
  const steps = normalized.slice(1).map((value, index) => Math.abs(value - normalized[index]!));
  const rise = steps.findIndex((step) => step > rule.tolerance);
  if (rise === -1) return nothing("no change exceeds epsilon");
  const transientEnd = steps.findIndex((step, index) => index > rise && step <= rule.tolerance);
  if (transientEnd === -1) return nothing("the transient does not end");
  const rest = points.slice(transientEnd);
  if (rest.length < rule.window + 1) return nothing("too few points remain after the transient");
  const changes = smoothedChanges(rest, rule.window, low, range);
  const index = changes.findIndex((change) => Math.abs(change) <= rule.tolerance);
  return index === -1
    ? nothing("the moving average does not settle")
    : { k: (transientEnd + index) * every, flat, reason: null };
}

function extent(points: readonly SignalPoint[]): { low: number; range: number; relativeRange: number } {
  if (points.length === 0) return { low: 0, range: 0, relativeRange: 0 };
  let low = points[0]!.value;
  let high = low;
  for (const { value } of points) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return { low, range: high - low, relativeRange: largest === 0 ? 0 : (high - low) / largest };
}

/**
 * Changes of the trailing moving average over `window` points of the min-max-normalised series: change c belongs to
 * point c + window, because before `window` points there is no average. Empty when the series is shorter.
 */
function smoothedChanges(points: readonly SignalPoint[], window: number, low: number, range: number): number[] {
  if (range === 0) return points.slice(window).map(() => 0);
  const normalized = points.map((point) => (point.value - low) / range);
  return normalized.slice(window).map((value, index) => (value - normalized[index]!) / window);
}

/** Standard error of the smoothed change that belongs to point `index`. */
function noiseOfChange(points: readonly SignalPoint[], index: number, window: number, range: number): number | null {
  if (range === 0) return null;
  const span = points[index]!.spanError;
  return span === null ? null : span / (window * range);
}

function countCalm(changes: readonly number[], steepestIndex: number, tolerance: number): number {
  let calm = 0;
  for (let index = changes.length - 1; index > steepestIndex; index -= 1) {
    if (Math.abs(changes[index]!) > tolerance) break;
    calm += 1;
  }
  return calm;
}

function indexOfLargest(changes: readonly number[]): number | null {
  let best: number | null = null;
  changes.forEach((change, index) => {
    if (best === null || Math.abs(change) > Math.abs(changes[best]!)) best = index;
  });
  return best;
}
