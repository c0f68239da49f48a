import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { departures, experimentOf, isOfMethod } from "../../../src/report/paper/methods.js";
import { PAPER_TABLES, type PaperMethod } from "../../../src/report/paper/values.js";

const load = (source: string, ...overrides: string[]) => loadConfig({ source, overrides, cwd: "/" });
const cifar = (...overrides: string[]) => load("cifar10-resnet18", "data.path=/cifar10", ...overrides);
const methods = PAPER_TABLES.flatMap(({ rows }) => rows.map(({ method }) => method));

function methodsOf(config: ReturnType<typeof load>): string[] {
  const fitting = methods.filter((method: PaperMethod) => isOfMethod(config, "CIFAR10 RN18", method));
  return [...new Set(fitting.map(({ label }) => label))];
}

describe("the paper's experiments", () => {
  it.each([
    ["MNIST RN18", load("mnist-resnet18", "model.width=8")],
    ["CIFAR10 RN18", cifar()],
    ["CIFAR100 RN18", load("cifar100-resnet18", "data.path=/c")],
    ["CIFAR10 VGG11", load("cifar10-vgg11", "data.path=/c")],
    ["SQuAD XLM-R", load("squad-xlmr-lora")],
    ["MNLI XLM-R", load("mnli-xlmr-lora")],
    ["CIFAR10 RN18", cifar("data.kind=image_folder", "data.path=/my-cifar-10-jpeg", "evaluate.ood=none")],
    ["CIFAR100 RN18", cifar("data.kind=image_folder", "data.path=/cifar100", "evaluate.ood=none")],
    [null, cifar("data.kind=image_folder", "data.path=/flowers", "evaluate.ood=none")],
  ])("are told by data and network: %s", (experiment, config) => {
    expect(experimentOf(config)).toBe(experiment);
  });
});

describe("the paper's methods", () => {
  const switched = (before: number, after: number, rate = 0.1) =>
    cifar(
      "intervention.kind=learning_rate_switch",
      "intervention.k=200",
      `intervention.before=${before}`,
      `intervention.after=${after}`,
      `train.learning_rate=${rate}`,
    );

  it.each([
    [["standard", "lr_d"].sort(), cifar("intervention.kind=none")],
    [["0.1 lr_d"], cifar("intervention.kind=none", "train.learning_rate=0.01")],
    [["GU, tr(F)", "tr(F)"], cifar()],
    [["lr_d + GU"], cifar("intervention.k=250")],
    [["0.1 lr_d + GU"], cifar("intervention.k=250", "train.learning_rate=0.01")],
    [["low to high"], switched(0.1, 1)],
    [["high to low"], switched(1, 0.1)],
    [["high to low"], switched(10, 1, 0.01)],
    [[], switched(0.5, 1)],
    [[], cifar("intervention.kind=head_then_full", "intervention.k=100")],
    [[], cifar("intervention.kind=none", "train.learning_rate=0.03")],
  ])("are told by rate and intervention: %j", (labels, config) => {
    expect(methodsOf(config).sort()).toEqual(labels);
  });

  it("are others where a signal decides the switch", () => {
    const config = cifar("intervention.kind=learning_rate_switch", "intervention.before=0.1", "intervention.after=1");
    expect(methodsOf(config).sort()).toEqual(["low to high, tr(F)"]);
  });
});

describe("departures from the paper's settings", () => {
  it("are none in a preset", () => {
    expect(departures(cifar(), "CIFAR10 RN18")).toEqual([]);
    expect(departures(load("squad-xlmr-lora"), "SQuAD XLM-R")).toEqual([]);
  });

  it("name the setting, its value and the paper's", () => {
    const config = cifar("train.epochs=8", "model.width=16", "train.batch_size=64", "train.learning_rate=0.01");
    expect(departures(config, "CIFAR10 RN18")).toEqual(["batch_size 64 (128)", "epochs 8 (200)", "width 16 (64)"]);
  });
});
