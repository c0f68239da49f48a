import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import { describeConfig } from "../../src/ui/names.js";

describe("describeConfig", () => {
  const described = (source: string, ...overrides: string[]) =>
    describeConfig(loadConfig({ source, overrides: ["data.path=x", ...overrides], cwd: "/" }));

  it("names what made the numbers", () => {
    expect(described("quickstart")).toBe(
      "resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper: constant), seed 0",
    );
    expect(described("cifar10-vgg11", "seed=3")).toBe("vgg11 on cifar10, batch 128, lr 0.15, seed 3");
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
