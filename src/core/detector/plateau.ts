/**
 * The rule for numbers that a script records, such as a validation loss: fires when the latest `window` points hold none
 * that is better than the best before them. Looks back only, and keeps of a series what the next point is judged by.
 * Exact arithmetic only, as in the rule for measured signals. Why there are two: docs/decisions/0024-recorded-numbers.md.
 */
import type { SignalPhase } from "./stabilization.js";

export interface PlateauPoint {
  readonly update: number;
  readonly value: number;
  /** Null where none was recorded. */
  readonly standardError: number | null;
}

/** `window` is tau in points, `tolerance` epsilon as a share of the range so far, `mode` which values are better. */
export interface PlateauRule {
  readonly window: number;
  readonly tolerance: number;
  readonly mode: "min" | "max";
}

/** What has been read of a series. */
export interface PlateauPrefix {
  readonly rule: PlateauRule;
  readonly points: number;
  /** Least and largest value; 0 before the first point. */
  readonly low: number;
  readonly high: number;
  readonly first: PlateauPoint | null;
  /** The best point ahead of the latest `window` ones, the earliest of equal ones. */
  readonly before: PlateauPoint | null;
  readonly latest: readonly PlateauPoint[];
}

/** What the rule says at one boundary. Improvements are shares of the range so far, below 0 where values got worse. */
export interface PlateauJudgement {
  readonly rule: "plateau";
  readonly phase: SignalPhase;
  readonly fired: boolean;
  /** Points used, non-finite ones left out; and how many a judgement needs. */
  readonly points: number;
  readonly needed: number;
  /** From the first point to the best ahead of the latest `window` ones; null before there are enough points. */
  readonly improved: number | null;
  /** From there to the best of the latest ones. */
  readonly gain: number | null;
  /** Whether each is more than the tolerance and than its own standard error. */
  readonly hasImproved: boolean;
  readonly stillImproves: boolean;
}

/** The window ahead of the latest one has to be full as well: before that, nothing is known of how a series improves. */
const WINDOWS_NEEDED = 2;

export function emptyPlateau(rule: PlateauRule): PlateauPrefix {
  return { rule, points: 0, low: 0, high: 0, first: null, before: null, latest: [] };
}

/** The prefix with one point more. */
export function readPlateau(prefix: PlateauPrefix, point: PlateauPoint): PlateauPrefix {
  const { rule } = prefix;
  const { value } = point;
  const latest = [...prefix.latest, point];
  const left = latest.length > rule.window ? latest.shift()! : null;
  return {
    rule,
    points: prefix.points + 1,
    low: prefix.first === null ? value : Math.min(prefix.low, value),
    high: prefix.first === null ? value : Math.max(prefix.high, value),
    first: prefix.first ?? point,
    before: left === null ? prefix.before : betterOf(prefix.before, left, rule.mode),
    latest,
  };
}

/** Judges the latest point of a prefix. */
export function judgePlateau(prefix: PlateauPrefix): PlateauJudgement {
  const { rule, points, low, high, first, before, latest } = prefix;
  const needed = WINDOWS_NEEDED * rule.window;
  const range = high - low;
  const judged = { rule: "plateau", points, needed } as const;
  const best = latest.reduce<PlateauPoint | null>((known, point) => betterOf(known, point, rule.mode), null);
  // Where the range is too large for a number, no share of it is known.
  if (points < needed || first === null || before === null || best === null || range === Infinity) {
    return {
      ...judged,
      phase: "transient",
      fired: false,
      improved: null,
      gain: null,
      hasImproved: false,
      stillImproves: false,
    };
  }
  const share = (from: PlateauPoint, to: PlateauPoint): number =>
    range === 0 ? 0 : improvement(from, to, rule.mode) / range;
  const [improved, gain] = [share(first, before), share(before, best)];
  const hasImproved = counts(first, before, improved, rule);
  const stillImproves = counts(before, best, gain, rule);
  const fired = hasImproved && !stillImproves;
  const phase = fired ? "stable" : hasImproved ? "settling" : "transient";
  return { ...judged, phase, fired, improved, gain, hasImproved, stillImproves };
}

/** The update of the first point at which the rule fires, and that of the last one ahead of its window; or null. */
export function findPlateau(
  points: readonly PlateauPoint[],
  rule: PlateauRule,
): { readonly firedAt: number; readonly endedAt: number } | null {
  let prefix = emptyPlateau(rule);
  for (const [index, point] of points.entries()) {
    prefix = readPlateau(prefix, point);
    if (judgePlateau(prefix).fired) return { firedAt: point.update, endedAt: points[index - rule.window]!.update };
  }
  return null;
}

/** Positive where `to` is better. */
function improvement(from: PlateauPoint, to: PlateauPoint, mode: PlateauRule["mode"]): number {
  return mode === "min" ? from.value - to.value : to.value - from.value;
}

function betterOf(known: PlateauPoint | null, other: PlateauPoint, mode: PlateauRule["mode"]): PlateauPoint {
  return known === null || improvement(known, other, mode) > 0 ? other : known;
}

/** An improvement that is no larger than the tolerance, or smaller than the errors of its two values allow, is none. */
function counts(from: PlateauPoint, to: PlateauPoint, share: number, { tolerance, mode }: PlateauRule): boolean {
  if (!(share > tolerance)) return false;
  const size = improvement(from, to, mode);
  const [a, b] = [(from.standardError ?? 0) / size, (to.standardError ?? 0) / size];
  return a * a + b * b <= 1;
}
