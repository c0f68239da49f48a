import { describe, expect, it } from "vitest";
import { headlineOf } from "../../src/words/headline.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";
import { quickstartConfig, simulateRun } from "../support/journal-builder.js";

describe("the headline of an intervention that starts later", () => {
  const config = quickstartConfig(
    "train.updates=600",
    "intervention.kind=learning_rate_switch",
    "intervention.start=101",
    "intervention.k=120",
  );

  it("says when it will start", () => {
    const { state } = simulateRun({
      config,
      until: ({ progress: { latest: progress } }) => (progress?.step ?? 0) >= 50,
    });
    expect(headlineOf(state)).toMatchObject({
      badge: "TRAINING",
      text: "everything trains; the intervention starts before update 101 (1 update to go)",
    });
  });

  it("names the update in which it is removed", () => {
    const { state } = simulateRun({ config, until: ({ progress }) => progress.frontier >= 101 });
    const k = "k = 120, fixed in the configuration";
    expect(headlineOf(state).text).toBe(`${k}; the learning rate is multiplied by 0.1 until update 220`);
    const after = simulateRun({ config, until: ({ progress }) => progress.frontier >= 220 }).state;
    expect(headlineOf(after).text).toBe(`${k}; the learning rate is multiplied by 1`);
  });
});

it("says of a worker that ends before it was ready that it is ending", () => {
  const run = new SimulatedRun(simulatedConfig()).until(({ attempt }) => attempt?.stage === "preparing");
  const why = { code: "broken", message: "it broke", hint: "mend", traceback: "" };
  run.say("worker/closed", { outcome: "failed", step: 0, fault: "environment", ...why });
  expect(headlineOf(run.state)).toMatchObject({ badge: "STARTING", text: "the worker is ending" });
});
