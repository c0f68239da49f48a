import { describe, expect, it } from "vitest";
import { fixedInterval } from "../../../src/core/policies/fixed-interval.js";
import { onlineInterval } from "../../../src/core/policies/online-interval.js";
import { policyOf } from "../../../src/core/policies/choose.js";
import { standard } from "../../../src/core/policies/standard.js";
import { simulatedConfig } from "../simulated-run.js";

describe("policyOf", () => {
  it.each([
    [[], onlineInterval],
    [["intervention.kind=learning_rate_switch"], onlineInterval],
    [["intervention.k=3"], fixedInterval],
    [["intervention.kind=none"], standard],
    [["intervention.kind=none", "intervention.k=3"], standard],
  ])("chooses by %j", (overrides, policy) => {
    expect(policyOf(simulatedConfig(...overrides).intervention)).toBe(policy);
  });
});
