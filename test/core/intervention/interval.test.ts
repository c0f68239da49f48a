import { expect, it } from "vitest";
import { SimulatedRun, simulatedConfig } from "../../support/simulated-run.js";

it("says which blocks a k leaves frozen to the end", () => {
  const run = new SimulatedRun(simulatedConfig("intervention.k=21")).finish();
  expect(run.decided("interval/decided")).toEqual([
    {
      type: "interval/decided",
      k: 21,
      source: "fixed",
      signal: null,
      update: 0,
      judgement: null,
      kOffline: null,
      kOfflineReason: "k was fixed",
    },
  ]);
  expect(run.decided("interval/incomplete")).toEqual([{ type: "interval/incomplete", k: 21, frozen: ["block1"] }]);
  expect(new SimulatedRun(simulatedConfig("intervention.k=20")).finish().decided("interval/incomplete")).toEqual([]);
});

it("keeps the judgement behind an online k", () => {
  const run = new SimulatedRun(simulatedConfig()).finish();
  expect(run.decided("interval/decided")[0]).toMatchObject({ source: "online", judgement: { fired: true } });
});
