import { indexAt } from "../intervention/counting.js";
import { everyOf } from "../grid.js";
import type { DetectorRule } from "../measured.js";
import type { State } from "../state.js";
import { emptyPlateau, findPlateau, judgePlateau, readPlateau } from "./plateau.js";
import type { PlateauJudgement, PlateauPoint, PlateauPrefix, PlateauRule } from "./plateau.js";
import { emptyPrefix, read, type Prefix } from "./prefix.js";
import { findOffline, findOnline, judgePrefix } from "./stabilization.js";
import type { Judgement, OfflineResult, SignalPoint, StabilizationRule } from "./stabilization.js";

/*
 * Two rules find k: Algorithm 2 on what is measured, whose changes have errors, and the plateau of what a script records,
 * of which only the script knows which values are better. Those who ask a rule need not know which one it is.
 */

export type RulePrefix = Prefix | PlateauPrefix;
export type RuleJudgement = Judgement | PlateauJudgement;
/** A finite point of any series. */
export type FinitePoint = SignalPoint & PlateauPoint;

export function isPlateau(judgement: RuleJudgement): judgement is PlateauJudgement {
  return "rule" in judgement;
}

/** What a rule reads of a series, point by point. */
export interface SeriesReader {
  readonly empty: () => RulePrefix;
  readonly read: (prefix: RulePrefix, point: FinitePoint) => RulePrefix;
}

/** A rule on one series. Its prefixes are its own: it is given none of another rule. */
export interface SeriesRule extends SeriesReader {
  readonly judge: (prefix: RulePrefix) => RuleJudgement;
  /** The update of the first point at which it fires, or null. */
  readonly findOnline: (points: readonly FinitePoint[]) => number | null;
  /** What hindsight says of a whole series. */
  readonly findOffline: (points: readonly FinitePoint[]) => OfflineResult;
}

export function seriesRule(
  { tau: window, epsilon: tolerance, mode }: DetectorRule,
  state: Pick<State, "config" | "signal">,
): SeriesRule {
  return mode === undefined
    ? ofStabilization({ window, tolerance }, everyOf(state))
    : ofPlateau({ window, tolerance, mode }, (update) => indexAt(state.config.intervention, update));
}

function ofStabilization(rule: StabilizationRule, every: number): SeriesRule {
  return {
    empty: () => emptyPrefix(rule.window),
    read: readMeasured,
    judge: (prefix) => judgePrefix(prefix as Prefix, rule.tolerance),
    findOnline: (points) => findOnline(points, rule),
    findOffline: (points) => findOffline(points, rule, every),
  };
}

function readMeasured(prefix: RulePrefix, point: FinitePoint): RulePrefix {
  return read(prefix as Prefix, point);
}

function readRecorded(prefix: RulePrefix, point: FinitePoint): RulePrefix {
  return readPlateau(prefix as PlateauPrefix, point);
}

/** Offline, k is the last point ahead of the window that proved it: from there on nothing was gained. */
function ofPlateau(rule: PlateauRule, kAt: (update: number) => number): SeriesRule {
  return {
    empty: () => emptyPlateau(rule),
    read: readRecorded,
    judge: (prefix) => judgePlateau(prefix as PlateauPrefix),
    findOnline: (points) => findPlateau(points, rule)?.firedAt ?? null,
    findOffline: (points) => {
      const found = findPlateau(points, rule);
      if (found !== null) return { k: kAt(found.endedAt), flat: false, reason: null };
      const { improved, hasImproved } = judgePlateau(points.reduce(readPlateau, emptyPlateau(rule)));
      const reason =
        improved === null ? "too few points" : hasImproved ? "it improves to the end" : "it has never improved";
      return { k: null, flat: false, reason };
    },
  };
}
