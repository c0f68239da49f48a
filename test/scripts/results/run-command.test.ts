import { describe, expect, it } from "vitest";
import { commandOf, whyLeftOut, type PlannedRun } from "../../../scripts/results/run-command.mjs";

const MNIST: PlannedRun = { config: "mnist-resnet18", settings: ["seed=1"] };
const CIFAR: PlannedRun = { config: "cifar10-resnet18", settings: ["seed=1"], needsImages: true };
const TEXT: PlannedRun = { config: "xquad-small", settings: ["seed=1"], needsXquad: true };

describe("whether a run is left out", () => {
  it("depends on what it needs and what is named", () => {
    expect(whyLeftOut(MNIST, {})).toBeNull();
    expect(whyLeftOut(CIFAR, {})).toBe("name CIFAR-10 as images with --images");
    expect(whyLeftOut(CIFAR, { images: "cifar" })).toBeNull();
    expect(whyLeftOut(TEXT, { images: "cifar" })).toBe("name the folder of XQuAD with --xquad");
    expect(whyLeftOut({ ...MNIST, needsGpu: true }, {})).toMatch(/--gpu/);
    expect(whyLeftOut({ ...MNIST, needsGpu: true }, { gpu: true })).toBeNull();
  });
});

describe("the command of a run", () => {
  const end = ["--run-dir", "runs/x", "--headless"];

  it("names the data that it needs, and no others", () => {
    const options = { images: "cifar", frost: "pictures", xquad: "texts" };
    expect(commandOf(MNIST, "runs/x", options, false)).toEqual(["run", "mnist-resnet18", "seed=1", ...end]);
    expect(commandOf(CIFAR, "runs/x", options, false)).toEqual([
      ...["run", "cifar10-resnet18", "seed=1", "data.path=cifar", "evaluate.frost_textures=pictures"],
      ...end,
    ]);
    expect(commandOf(TEXT, "runs/x", options, false)).toEqual([
      "run",
      "xquad-small",
      "seed=1",
      "data.path=texts",
      ...end,
    ]);
  });

  it("leaves frost to the installed package where no folder is named", () => {
    expect(commandOf(CIFAR, "runs/x", { images: "cifar" }, false).join(" ")).not.toContain("frost");
  });

  it("goes on with a run that was begun", () => {
    expect(commandOf(CIFAR, "runs/x", { images: "elsewhere" }, true)).toEqual(["resume", "runs/x", "--headless"]);
  });
});
