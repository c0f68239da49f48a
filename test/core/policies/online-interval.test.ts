import { describe, expect, it } from "vitest";
import { onlineInterval } from "../../../src/core/policies/online-interval.js";
import type { SeriesPoint, State } from "../../../src/core/state.js";
import { simulatedConfig, SimulatedRun } from "../simulated-run.js";

/** A run whose signal has the given values at update 1 and every second update. */
function measured(values: readonly number[], ...overrides: string[]): State {
  const { state } = new SimulatedRun(simulatedConfig(...overrides)).until(({ model }) => model !== null);
  const points = values.map((value, index): SeriesPoint => {
    const update = index === 0 ? 1 : 2 * index;
    return { update, value, standardError: 0, changeError: 0, spanError: 0, seconds: 0 };
  });
  return { ...state, series: { "probe/fisher_trace": points } };
}

const settling = Array.from({ length: 9 }, (_, index) => 1 - 0.3 ** index);

describe("the online policy", () => {
  it("decides at the boundary whose value completes the evidence", () => {
    const state = measured(settling);
    expect(onlineInterval.judgeBoundary(state, state.model!, 14).interval).toBeNull();
    const verdict = onlineInterval.judgeBoundary(state, state.model!, 16);
    expect(verdict.interval).toEqual({
      k: 16,
      source: "online",
      signal: "fisher_trace",
      decidedAt: 16,
      kOffline: 6,
      kOfflineReason: null,
    });
    expect(verdict.judgement).toMatchObject({ phase: "stable", fired: true, points: 9 });
  });

  it("judges nothing at a boundary without a value of its own", () => {
    const state = measured(settling);
    expect(onlineInterval.judgeBoundary(state, state.model!, 17)).toEqual({ interval: null, judgement: null });
  });

  it("decides at k_max, where the signal may settle at the same time", () => {
    const state = measured(settling.slice(0, 5), "intervention.k_max=8");
    expect(onlineInterval.judgeBoundary(state, state.model!, 7).interval).toBeNull();
    expect(onlineInterval.judgeBoundary(state, state.model!, 8).interval).toMatchObject({ k: 8, source: "cap" });
    const both = measured(settling, "intervention.k_max=16");
    expect(onlineInterval.judgeBoundary(both, both.model!, 16).interval).toMatchObject({ k: 16, source: "online" });
  });
});
