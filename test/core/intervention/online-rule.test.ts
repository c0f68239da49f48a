import { expect, it } from "vitest";
import { onlineRule } from "../../../src/core/intervention/online-rule.js";
import { simulatedConfig } from "../../support/simulated-run.js";

it("is the intervention where k is decided during the run, whatever its kind", () => {
  for (const kind of ["gradual_unfreezing", "head_then_full", "learning_rate_switch"]) {
    const { intervention } = simulatedConfig(`intervention.kind=${kind}`, "intervention.tau=5");
    expect(onlineRule(intervention)).toBe(intervention);
    expect(onlineRule(intervention)).toMatchObject({ tau: 5 });
  }
});

it("is null where k is fixed, or there is none", () => {
  expect(onlineRule(simulatedConfig("intervention.k=7").intervention)).toBeNull();
  expect(onlineRule(simulatedConfig("intervention.kind=none").intervention)).toBeNull();
});
