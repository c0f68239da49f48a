import { describe, expect, it } from "vitest";
import { headlineOf } from "../../src/ui/headline.js";
import { quickstartConfig, simulateRun } from "./journal-builder.js";

describe("the headline of an intervention that starts later", () => {
  const config = quickstartConfig({
    train: { updates: 600 },
    intervention: { kind: "learning_rate_switch", start: 101, k: 120 },
  });

  it("says when it will start", () => {
    const { state } = simulateRun({ config, until: ({ progress }) => (progress?.step ?? 0) >= 50 });
    expect(headlineOf(state)).toMatchObject({
      badge: "TRAINING",
      text: "everything trains; the intervention starts before update 101 (1 update to go)",
    });
  });

  it("names the update in which it is removed", () => {
    const { state } = simulateRun({ config, until: ({ frontier }) => frontier >= 101 });
    const k = "k = 120, fixed in the configuration";
    expect(headlineOf(state).text).toBe(`${k}; the learning rate is multiplied by 0.1 until update 220`);
    const after = simulateRun({ config, until: ({ frontier }) => frontier >= 220 }).state;
    expect(headlineOf(after).text).toBe(`${k}; the learning rate is multiplied by 1`);
  });
});
