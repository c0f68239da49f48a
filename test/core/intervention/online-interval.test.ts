import { describe, expect, it } from "vitest";
import {
  awaitsInterval,
  fixedInterval,
  judgeBoundary,
  latestInterval,
  type Verdict,
} from "../../../src/core/intervention/online-interval.js";
import { onlineRule } from "../../../src/core/intervention/online-rule.js";
import type { SeriesPoint, State } from "../../../src/core/state.js";
import { pointSeries } from "../../../src/core/point-series.js";
import { begun } from "../begun-run.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

/** A run whose signal has the given values at update 1 and every second update. */
function measured(values: readonly number[], ...overrides: string[]): State {
  const { state } = new SimulatedRun(simulatedConfig(...overrides)).until(({ model }) => model !== null);
  const points = values.map((value, index): SeriesPoint => {
    const update = index === 0 ? 1 : 2 * index;
    return { update, value, standardError: 0, changeError: 0, spanError: 0, seconds: 0 };
  });
  return { ...state, signal: { ...state.signal, series: { "probe/fisher_trace": pointSeries(points) } } };
}

const settling = Array.from({ length: 9 }, (_, index) => 1 - 0.3 ** index);

function judged(state: State, update: number): Verdict {
  return judgeBoundary(state, state.model!, onlineRule(state.config.intervention)!, update);
}

it("knows a fixed k from the start, and none where there is no intervention", () => {
  expect(fixedInterval(simulatedConfig("intervention.k=7").intervention)).toEqual({
    k: 7,
    source: "fixed",
    signal: null,
    decidedAt: 0,
    kOffline: null,
    kOfflineReason: "k was fixed",
  });
  expect(fixedInterval(simulatedConfig().intervention)).toBeNull();
  expect(fixedInterval(simulatedConfig("intervention.kind=none").intervention)).toBeNull();
});

describe("the online rule", () => {
  it("decides at the boundary whose value completes the evidence", () => {
    const state = measured(settling);
    expect(judged(state, 14).interval).toBeNull();
    const verdict = judged(state, 16);
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
    expect(judged(state, 17)).toMatchObject({ interval: null, judgement: null });
  });

  it("decides at k_max, where the signal may settle at the same time", () => {
    const state = measured(settling.slice(0, 5), "intervention.k_max=8");
    expect(judged(state, 7).interval).toBeNull();
    expect(judged(state, 8).interval).toMatchObject({ k: 8, source: "cap" });
    const both = measured(settling, "intervention.k_max=16");
    expect(judged(both, 16).interval).toMatchObject({ k: 16, source: "online" });
  });
});

describe("latestInterval", () => {
  const latest = (...overrides: string[]): number | null => {
    const { state, model } = begun(...overrides);
    return latestInterval(state, model);
  };

  it("is floor(N / blocks), or floor(N / 4) for a learning-rate switch, rounded down to a probe boundary", () => {
    expect(latest()).toBe(20);
    expect(latest("probe.every=7")).toBe(14);
    expect(latest("train.updates=61", "intervention.kind=learning_rate_switch", "probe.every=4")).toBe(12);
  });

  it("stays what it is where no probe boundary is left, and is at least 1", () => {
    expect(latest("probe.every=50")).toBe(20);
    expect(latest("train.updates=2")).toBe(1);
  });

  it("is derived from the updates that are left at the start of the intervention", () => {
    expect(latest("intervention.start=31")).toBe(10);
    expect(latest("intervention.start=30", "intervention.kind=learning_rate_switch", "probe.every=1")).toBe(7);
    expect(latest("intervention.start=60")).toBe(1);
  });

  it("is the configured one, and unknown without an end", () => {
    expect(latest("intervention.k_max=33")).toBe(33);
    const { state, model } = begun();
    expect(latestInterval(state, { ...model, numUpdates: null })).toBeNull();
  });
});

describe("awaitsInterval", () => {
  it.each([
    [[], true],
    [["intervention.kind=learning_rate_switch"], true],
    [["intervention.kind=none"], false],
    [["intervention.k=3"], false],
  ])("with %j is %s", (overrides, expected) => {
    expect(awaitsInterval(begun(...overrides).state)).toBe(expected);
  });
});
