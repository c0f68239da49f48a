import { expect, it } from "vitest";
import { SimulatedRun, simulatedConfig } from "../simulated-run.js";

it("decides nothing: everything trains from the first update", () => {
  const run = new SimulatedRun(simulatedConfig("intervention.kind=none", "intervention.k=7")).finish();
  expect(run.state.interval).toBeNull();
  expect(run.decided("interval/decided")).toEqual([]);
  expect(new Set([...run.trained.values()].map(({ trainable }) => trainable.length))).toEqual(new Set([4]));
});
