import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import type { MeasuredProbe } from "../../src/config/schema.js";
import { describeSignals } from "../../src/words/signal-options.js";

function describeWith(...overrides: string[]): string[] {
  return describeSignals(loadConfig({ source: "quickstart", overrides, env: {}, cwd: "/" }));
}

const ALL = "probe.metrics=[fisher_trace, sharpness_avg, sharpness_worst, gradient_norm]";

describe("describeSignals", () => {
  it("names every option that a value depends on", () => {
    expect(describeWith(ALL)).toMatchInlineSnapshot(`
      [
        "every 10 updates, of the trainable parameters, over 512 training examples in batches of 256",
        "tr(F): labels sampled from the model, per example",
        "average sharpness: rho 0.01, 16 draws a batch, in antithetic pairs",
        "worst-case sharpness: rho 0.01, at most 15 gradients on the sphere a batch, fewer once two steps gain less than a share of 0.005",
      ]
    `);
    expect(
      describeWith(
        ALL,
        "probe.scope=all",
        "probe.rho=0.02",
        "probe.draws=5",
        "probe.noise=independent",
        "probe.iterations=6",
        "probe.search=apgd",
        "probe.every=5",
      ),
    ).toMatchInlineSnapshot(`
      [
        "every 5 updates, of all parameters, over 512 training examples in batches of 256",
        "tr(F): labels sampled from the model, per example",
        "average sharpness: rho 0.02, 5 draws a batch, independent of each other",
        "worst-case sharpness: rho 0.02, 6 iterations of APGD a batch, the best loss of the search",
      ]
    `);
  });

  it("does not call a trace of the Fisher information what is none", () => {
    const labelled = (labels: string) => describeWith(`probe.labels=${labels}`)[1];
    expect(labelled("exact")).toBe("tr(F): the exact mean over all labels, per example");
    expect(labelled("argmax")).toContain("labels argmax, which is not the Fisher trace");
    expect(labelled("true")).toContain("the empirical Fisher and not the Fisher trace");
  });

  it("says where an estimate has no error, and which value of a search is shown", () => {
    expect(describeWith("probe.estimator=batch", "intervention.k=40", "probe.until=end")[1]).toContain(
      "without an error",
    );
    expect(describeWith(ALL, "probe.search=apgd", "probe.worst_value=last")).toContainEqual(
      expect.stringContaining("the last loss"),
    );
  });

  it("says of a run of before there was a choice what it did", () => {
    const config = loadConfig({ source: "quickstart", overrides: [ALL], env: {}, cwd: "/" });
    const { noise, search, search_tolerance: tolerance, ...before } = config.probe as MeasuredProbe;
    expect([noise, search, tolerance]).toEqual(["antithetic", "sphere", 0.005]);
    expect(describeSignals({ ...config, probe: { ...before, draws: 15, worst_value: "best" } }).slice(2)).toEqual([
      "average sharpness: rho 0.01, 15 draws a batch, independent of each other",
      "worst-case sharpness: rho 0.01, 15 iterations of APGD a batch, the best loss of the search",
    ]);
  });

  it("is silent where nothing is measured", () => {
    expect(describeWith("intervention.kind=none")).toEqual([]);
  });
});
