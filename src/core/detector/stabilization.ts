/**
 * Algorithm 2 (paper, appendix D) in two forms: `judge` on the prefix seen so far, which the controller runs, and
 * `findOffline` on a whole series, as the paper words it. Why the online rule has four conditions:
 * docs/decisions/0005-online-stabilization.md. Exact arithmetic only (+ - * /, least, largest, magnitude), so that a replay gives the same bits.
 */
import { CALM_CHANGES, countCalm, emptyPrefix, numChanges, read, smoothedChange, type Prefix } from "./prefix.js";

export { CALM_CHANGES };

/** One measured point of a signal. `changeError` and `spanError` are standard errors of the difference to the previous point and to the point `window` points ago; null where the worker could not pair them. */
export interface SignalPoint {
  readonly update: number;
  readonly value: number;
  readonly changeError: number | null;
  readonly spanError: number | null;
}

/** `window` is tau (points, not updates), `tolerance` is epsilon (share of the range seen so far). */
export interface StabilizationRule {
  readonly window: number;
  readonly tolerance: number;
}

export type SignalPhase = "transient" | "settling" | "stable";

/** What the online rule says at one boundary, with the numbers behind it. All changes are shares of the range seen so far. */
export interface Judgement {
  readonly phase: SignalPhase;
  readonly fired: boolean;
  /** Points used, non-finite ones left out. */
  readonly points: number;
  /** Latest change of the moving average; null before `window + 1` points exist. */
  readonly change: number | null;
  /** Largest change of the moving average so far. */
  readonly steepest: number | null;
  /** (max - min) / max |value|. */
  readonly relativeRange: number;
  /** Standard error of the latest change; null means it is unknown, and then the rule does not fire. */
  readonly noise: number | null;
  /** How many of the latest changes in a row lie within the tolerance and after the steepest one. */
  readonly calm: number;
}

/** Below this share of its own size a signal's range is drift, which min-max normalisation would blow up. */
export const LEAST_RELATIVE_RANGE = 0.2;

/** A transient must have been seen before its end can be: a change of this many tolerances. */
export const ARMING_FACTOR = 2;

/** Judges the latest point of `points` (in order, finite values). Looks back only. */
export function judge(points: readonly SignalPoint[], rule: StabilizationRule): Judgement {
  return judgePrefix(points.reduce(read, emptyPrefix(rule.window)), rule.tolerance);
}

/** Judges the latest point of a prefix, whose window is the rule's. */
export function judgePrefix(prefix: Prefix, tolerance: number): Judgement {
  const { values, low, high, steepest } = prefix;
  const relativeRange = relativeRangeOf(low, high);
  const calm = steepest === null ? 0 : countCalm(prefix, steepest.index, tolerance);
  const armed = steepest !== null && steepest.size > ARMING_FACTOR * tolerance && relativeRange >= LEAST_RELATIVE_RANGE;
  const errors = steepest === null ? [] : prefix.spanErrors.slice(-numChanges(prefix));
  const noises = errors.map((error) => noiseOf(prefix, error));
  const quiet = noises.length === CALM_CHANGES && noises.every((noise) => noise !== null && noise < tolerance);
  const fired = armed && calm >= CALM_CHANGES && quiet;
  return {
    phase: fired ? "stable" : armed && calm > 0 ? "settling" : "transient",
    fired,
    points: values.length,
    change: steepest === null ? null : Math.abs(smoothedChange(prefix, numChanges(prefix) - 1)),
    steepest: steepest === null ? null : steepest.size,
    relativeRange,
    noise: noises.at(-1) ?? null,
    calm,
  };
}

/** The standard error of a smoothed change as a share of the range; null where it is unknown, or there is no range. */
export function noiseOf({ window, low, high }: Prefix, spanError: number | null): number | null {
  const range = high - low;
  return spanError === null || range === 0 ? null : spanError / (window * range);
}

/** The first point of a series at which the online rule fires, or null: "which k would it have been?" */
export function findOnline(points: readonly SignalPoint[], rule: StabilizationRule): number | null {
  let prefix = emptyPrefix(rule.window);
  for (const point of points) {
    prefix = read(prefix, point);
    if (judgePrefix(prefix, rule.tolerance).fired) return point.update;
  }
  return null;
}

export type OfflineResult =
  | { readonly k: number; readonly flat: boolean; readonly reason: null }
  | { readonly k: null; readonly flat: boolean; readonly reason: string };

/**
 * Algorithm 2 on a whole series. Deviation: the paper's pseudo-code compares the moving average itself with epsilon,
 * its text the changes of it; taken literally it never fires, so the changes are compared.
 *
 * @param every updates between two points: point j stands for k = j * every.
 */
export function findOffline(points: readonly SignalPoint[], rule: StabilizationRule, every: number): OfflineResult {
  const { low, range, relativeRange } = extent(points);
  const flat = relativeRange < LEAST_RELATIVE_RANGE;
  const nothing = (reason: string): OfflineResult => ({ k: null, flat, reason });
  if (range === 0) return nothing("the signal never changes");
  const { window, tolerance } = rule;
  const count = points.length;
  const normalized = (index: number): number => (points[index]!.value - low) / range;
  const step = (index: number): number => Math.abs(normalized(index + 1) - normalized(index));
  const rise = firstIndex(0, count - 1, (index) => step(index) > tolerance);
  if (rise === null) return nothing("no change exceeds epsilon");
  const transientEnd = firstIndex(rise + 1, count - 1, (index) => step(index) <= tolerance);
  if (transientEnd === null) return nothing("the transient does not end");
  if (count - transientEnd < window + 1) return nothing("too few points remain after the transient");
  // Change c of the trailing moving average belongs to point c + window: before `window` points there is no average.
  const change = (index: number): number => (normalized(index + window) - normalized(index)) / window;
  const settled = firstIndex(transientEnd, count - window, (index) => Math.abs(change(index)) <= tolerance);
  if (settled === null) return nothing("the moving average does not settle");
  return { k: settled * every, flat, reason: null };
}

/** The first index from `start` to before `end` for which `holds`; null where there is none. */
function firstIndex(start: number, end: number, holds: (index: number) => boolean): number | null {
  for (let index = start; index < end; index += 1) if (holds(index)) return index;
  return null;
}

function extent(points: readonly SignalPoint[]): { low: number; range: number; relativeRange: number } {
  if (points.length === 0) return { low: 0, range: 0, relativeRange: 0 };
  let low = points[0]!.value;
  let high = low;
  for (const { value } of points) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, range: high - low, relativeRange: relativeRangeOf(low, high) };
}

function relativeRangeOf(low: number, high: number): number {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return largest === 0 ? 0 : (high - low) / largest;
}

/**
 * The same points with `spanError` replaced by the sum of the last `window` change errors, a bound on it: for asking
 * about a window other than the one the worker paired its points for.
 */
export function withSpanBound<P extends SignalPoint>(points: readonly P[], window: number): P[] {
  return points.map((point, index) => {
    const recent = points.slice(index - window + 1, index + 1).map((other) => other.changeError);
    const known = index >= window && recent.every((error) => error !== null);
    return { ...point, spanError: known ? recent.reduce((sum: number, error) => sum + error, 0) : null };
  });
}
