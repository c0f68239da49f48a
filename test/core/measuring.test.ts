import { describe, expect, it } from "vitest";
import { metricsAt } from "../../src/core/measuring.js";
import { begun } from "./begun-run.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

describe("metricsAt", () => {
  const measured = (...overrides: string[]): number[] => {
    const { state } = begun(...overrides);
    return Array.from({ length: 61 }, (_, index) => index + 1).filter((update) => metricsAt(state, update).length > 0);
  };

  it("measures at update 1 and at multiples of every, as long as they are wanted", () => {
    expect(measured("probe.every=20", "probe.until=end")).toEqual([1, 20, 40, 60]);
    expect(measured("probe.every=20", "probe.until=40")).toEqual([1, 20, 40]);
    expect(measured("probe.every=20")).toEqual([1, 20, 40, 60]);
  });

  it("counts its points from the start of the intervention, and ignores that where there is none", () => {
    expect(measured("probe.every=20", "probe.until=end", "intervention.start=6")).toEqual([6, 25, 45]);
    expect(measured("probe.every=1", "probe.until=22", "intervention.start=20")).toEqual([20, 21, 22]);
    expect(measured("probe.every=20", "probe.until=end", "intervention.kind=none")).toEqual([1, 20, 40, 60]);
  });

  it("measures nothing when there is nothing to decide", () => {
    expect(measured("intervention.k=10")).toEqual([]);
    expect(measured("intervention.kind=none")).toEqual([]);
  });

  it("measures up to the decision, that boundary included, also again after a crash", () => {
    const { state } = new SimulatedRun(simulatedConfig("intervention.k_max=20")).finish();
    expect(state.interval!.decidedAt).toBe(16);
    expect([14, 16, 18].map((update) => metricsAt(state, update))).toEqual([["fisher_trace"], ["fisher_trace"], []]);
  });
});
