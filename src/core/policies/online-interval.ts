import { indexAt } from "../counting.js";
import { latestInterval } from "../grant.js";
import { finitePoints, signalKey } from "../signal.js";
import { findOffline, judge } from "../stabilization.js";
import type { Interval, IntervalSource } from "../state.js";
import type { Policy } from "./policy.js";

/** k is the boundary at which the signal's prefix suffices (Algorithm 2, online), counted from the start; at most k_max. */
export const onlineInterval: Policy = {
  initial: () => null,
  judgeBoundary: (state, model, update) => {
    const { signal, tau, epsilon } = state.config.intervention;
    const k = indexAt(state.config.intervention, update);
    const rule = { window: tau, tolerance: epsilon };
    const points = finitePoints(state.series[signalKey(signal)] ?? [], update);
    // A boundary without a value of its own (non-finite, recalled) has nothing new to judge.
    const judgement = points.at(-1)?.update === update ? judge(points, rule) : null;
    const decide = (source: IntervalSource): Interval => {
      const offline = findOffline(points, rule, state.config.probe.every);
      return { k, source, signal, decidedAt: update, kOffline: offline.k, kOfflineReason: offline.reason };
    };
    if (judgement?.fired === true) return { interval: decide("online"), judgement };
    const latest = latestInterval(state, model);
    return { interval: latest !== null && k >= latest ? decide("cap") : null, judgement };
  },
};
