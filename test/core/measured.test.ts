import { describe, expect, it } from "vitest";
import { detectorRule, measuredBy } from "../../src/core/measured.js";
import { DEFAULT_EPSILON } from "../../src/metrics.js";
import { simulatedConfig } from "../support/simulated-run.js";

describe("how a run measures", () => {
  it("is its probe, where it has points", () => {
    const config = simulatedConfig("probe.every=9");
    expect(measuredBy(config)).toBe(config.probe);
    expect(measuredBy(config)?.every).toBe(9);
  });

  it("is null where it measures nothing", () => {
    expect(measuredBy(simulatedConfig("intervention.kind=none"))).toBeNull();
    expect(measuredBy(simulatedConfig("intervention.k=7"))).toBeNull();
  });
});

describe("the rule that is asked about", () => {
  it("is the configured one where k is decided online", () => {
    const rule = detectorRule(simulatedConfig("intervention.tau=5", "intervention.epsilon=0.1"));
    expect(rule).toMatchObject({ signal: "fisher_trace", tau: 5, epsilon: 0.1 });
  });

  it("is else that of the first metric that may decide, with its defaults", () => {
    const metrics = "probe.metrics=[gradient_norm, sharpness_avg, fisher_trace]";
    const rule = detectorRule(simulatedConfig("intervention.k=7", "probe.until=end", metrics));
    expect(rule).toEqual({ signal: "sharpness_avg", tau: 8, epsilon: DEFAULT_EPSILON });
  });

  it("is that of tr(F) where nothing is measured", () => {
    const rule = detectorRule(simulatedConfig("intervention.k=7"));
    expect(rule).toEqual({ signal: "fisher_trace", tau: 3, epsilon: DEFAULT_EPSILON });
  });
});
