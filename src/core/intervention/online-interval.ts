import type { Intervention } from "../../config/schema.js";
import { finitePoints, isFinite, readUntil, signalKey } from "../detector/signal.js";
import { seriesRule, type RuleJudgement } from "../detector/series-rule.js";
import { everyOf } from "../grid.js";
import { pointSeries } from "../point-series.js";
import type { Interval, IntervalSource, Model, SignalPrefix, State } from "../state.js";
import { indexAt, startOf } from "./counting.js";
import { kindOf } from "./kinds.js";
import { onlineRule, type OnlineIntervention } from "./online-rule.js";

/** Whether k is still to be found by the online rule. */
export function awaitsInterval(state: State): boolean {
  return onlineRule(state.config.intervention) !== null && state.interval === null;
}

/** k where the configuration gives it, as an interval; null where it is decided later, or there is none. */
export function fixedInterval(intervention: Intervention): Interval | null {
  if (intervention.kind === "none" || intervention.k === "online") return null;
  const { k } = intervention;
  return { k, source: "fixed", signal: null, decidedAt: 0, kOffline: null, kOfflineReason: "k was fixed" };
}

/** What the online rule says at a boundary: the interval it decided, if it did, and the judgement behind it. */
export interface Verdict {
  readonly interval: Interval | null;
  readonly judgement: RuleJudgement | null;
  /** What it has read of the signal. */
  readonly prefix: SignalPrefix;
}

/**
 * k is the boundary at which the signal's prefix suffices (Algorithm 2, online), counted from the start; at most k_max.
 * Called once for every boundary at which k is still unknown, in order, with the boundary's metrics in the series.
 */
export function judgeBoundary(state: State, model: Model, rule: OnlineIntervention, update: number): Verdict {
  const { signal } = rule;
  const k = indexAt(rule, update);
  const found = seriesRule(rule, state);
  const points = state.signal.series[signalKey(signal)] ?? pointSeries([]);
  const prefix = readUntil(state.signal.prefix, points, update, found);
  // A boundary without a value of its own (non-finite, recalled) has nothing new to judge.
  const measured = isFinite(points.get(update)?.value ?? null);
  const judgement = measured ? found.judge(prefix.read) : null;
  const decide = (source: IntervalSource): Interval => {
    const offline = found.findOffline(finitePoints(points, update));
    return { k, source, signal, decidedAt: update, kOffline: offline.k, kOfflineReason: offline.reason };
  };
  if (judgement?.fired === true) return { interval: decide("online"), judgement, prefix };
  const latest = latestInterval(state, model);
  return { interval: latest !== null && k >= latest ? decide("cap") : null, judgement, prefix };
}

/**
 * k_max: the largest k that the online rule may decide. By default that of the kind, counted from the start of the
 * intervention on and rounded down to a probe boundary where that leaves one. Null where the length is unknown.
 */
export function latestInterval(state: State, model: Model): number | null {
  const latest = latestIndex(state, model);
  if (latest === null || onlineRule(state.config.intervention)?.k_max !== null) return latest;
  const rounded = latest - (latest % everyOf(state));
  return Math.max(1, rounded > 0 ? rounded : latest);
}

/** The same as the configuration or the kind says it, on no grid. */
export function latestIndex({ config }: Pick<State, "config">, model: Model): number | null {
  const rule = onlineRule(config.intervention);
  if (rule === null) return null;
  if (rule.k_max !== null) return rule.k_max;
  if (model.numUpdates === null) return null;
  return kindOf(rule).latestInterval(rule, model.numUpdates - startOf(rule) + 1, model);
}
