import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { METRICS } from "../../src/metrics.js";
import { describeConfig, signalName, signalUnit } from "../../src/words/names.js";

describe("signalName", () => {
  it("is the paper's, by the configuration's name or the metric's key", () => {
    expect(signalName("fisher_trace")).toBe("tr(F)");
    expect(signalName("probe/fisher_trace")).toBe("tr(F)");
    expect(signalName("sharpness_worst")).toBe("worst-case sharpness");
  });

  it("is in words for whatever else may be measured, and its own for a script's", () => {
    for (const metric of METRICS) expect(signalName(`probe/${metric}`)).not.toMatch(/_/);
    expect(signalName("probe/gradient_norm")).toBe("gradient norm");
    expect(signalName("probe/loss")).toBe("probe loss");
    expect(signalName("probe/my_metric")).toBe("my_metric");
  });

  it("has a unit where the value is no plain number", () => {
    expect(signalUnit("fisher_trace")).toBe("per parameter");
    expect(signalUnit("sharpness_avg")).toBe("loss increase");
    expect(signalUnit("gradient_norm")).toBe("");
  });
});

describe("describeConfig", () => {
  const described = (source: string, ...overrides: string[]) =>
    describeConfig(loadConfig({ source, overrides: ["data.path=x", ...overrides], cwd: "/" }));

  it("names what made the numbers", () => {
    expect(described("quickstart")).toBe(
      "resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper: constant), seed 0",
    );
    expect(described("cifar10-vgg11", "seed=3")).toBe("vgg11 on cifar10, batch 128, lr 0.15, seed 3");
  });

  it("names an encoder by the last part of its name, and its adapter", () => {
    const encoded = (...overrides: string[]) =>
      describeConfig(loadConfig({ source: "xquad-small", overrides, env: {}, cwd: "/" }));
    expect(encoded()).toBe("multilingual-e5-small with lora r 8 on xquad_articles, batch 8, lr 0.002 linear, seed 0");
    expect(encoded("model.pretrained=./models/tiny/", "train.schedule=constant")).toBe(
      "tiny with lora r 8 on xquad_articles, batch 8, lr 0.002 constant (paper: linear), seed 0",
    );
  });

  it("names a model of the user's own with its options", () => {
    const blocks = "model.blocks=[{name: all, pattern: conv}]";
    const own = ["model.kind=own:build", "model.options={width: 4, act: relu}", blocks, "model.head=fc"];
    expect(described("quickstart", ...own)).toMatch(/^own:build width 4 act relu on mnist, batch 64/);
  });

  it("names what is unlike the paper's VGG-11", () => {
    const changed = ["model.batch_norm=true", "model.head_width=4096", "model.dropout=0.5"];
    expect(described("cifar10-vgg11", ...changed)).toMatch(/^vgg11 with BatchNorm head width 4096 dropout 0.5 on/);
  });
});
