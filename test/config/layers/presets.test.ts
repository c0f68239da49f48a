import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";

const load = (source: string) => loadConfig({ source, overrides: ["data.path=./x"], env: {}, cwd: "/" });
const loadText = (source: string) => loadConfig({ source, overrides: [], env: {}, cwd: "/" });

/** What Table 5 does not say: appendix B of the paper, and the recipe of its reference [41]. */
describe("signals of the paper's experiments", () => {
  const SIGNALS = { every: 10, points: 2048, scope: "trainable", until: "decision" };

  it.each(["mnist-resnet18", "cifar10-resnet18", "cifar10-vgg11", "cifar100-resnet18"])("%s", (name) => {
    const { probe, data, evaluate } = load(name);
    expect(probe).toMatchObject({ ...SIGNALS, batch_size: 256 });
    expect(data).toMatchObject({ augment: name.startsWith("mnist") ? "none" : "standard" });
    expect(evaluate.ood).toBe(name.startsWith("mnist") ? "mnist_c" : "cifar_c");
  });

  it.each([
    ["squad-xlmr-lora", 32],
    ["mnli-xlmr-lora", 256],
  ])("%s", (name, batchSize) => {
    expect(loadText(name).probe).toMatchObject({ ...SIGNALS, batch_size: batchSize });
  });
});

describe("sharpness of the paper's experiments", () => {
  const METRICS = "probe.metrics=[fisher_trace, sharpness_avg, sharpness_worst]";
  const sharpness = (source: string, ...overrides: string[]) => {
    const own = source.includes("xlmr") ? [] : ["data.path=./x"];
    const notes: string[] = [];
    const onLeftOut = (note: string) => notes.push(note);
    const request = { source, overrides: [...own, ...overrides], env: {}, cwd: "/", onLeftOut };
    return { probe: loadConfig(request).probe, notes };
  };

  it.each([
    "mnist-resnet18",
    "cifar10-resnet18",
    "cifar10-vgg11",
    "cifar100-resnet18",
    "squad-xlmr-lora",
    "mnli-xlmr-lora",
  ])("%s: what the paper did, and nothing is said of it where it is not asked for", (name) => {
    const paper = { noise: "independent", draws: 15, search: "apgd", iterations: 15, worst_value: "best" };
    expect(sharpness(name, METRICS)).toMatchObject({ probe: paper, notes: [] });
    const { probe, notes } = sharpness(name);
    expect([Object.keys(probe).filter((key) => key in paper), notes]).toEqual([[], []]);
  });

  it.each(["quickstart", "xquad-small"])("%s: the defaults", (name) => {
    const defaults = { noise: "antithetic", draws: 16, search: "sphere", iterations: 15, search_tolerance: 0.005 };
    expect(sharpness(name, METRICS, ...(name === "quickstart" ? [] : ["data.path=./x"])).probe).toMatchObject(defaults);
  });
});

describe("the cross-lingual recipe", () => {
  const COMMIT = expect.stringMatching(/^[0-9a-f]{40}$/) as string;

  it.each(["squad-xlmr-lora", "mnli-xlmr-lora"])("%s: the adapter, and how it is trained and chosen", (name) => {
    const { model, train, evaluate } = loadText(name);
    expect(model).toMatchObject({
      pretrained: "FacebookAI/xlm-roberta-base",
      revision: COMMIT,
      adapter: { method: "lora", r: 8, alpha: 8, dropout: 0.2, targets: ["query", "value"] },
      blocks: null,
    });
    expect(train).toMatchObject({ schedule: { kind: "linear" }, max_gradient_norm: 1 });
    expect(evaluate).toMatchObject({ every: expect.any(Number) as number, keep: "best" });
  });

  it("has the published data at pinned commits, in all languages of the test sets", () => {
    const hub = (id: string) => ({ hub: id, revision: COMMIT });
    expect(loadText("squad-xlmr-lora").data).toMatchObject({
      train: hub("rajpurkar/squad"),
      development: hub("rajpurkar/squad"),
      tests: [{ name: "xquad", source: hub("google/xquad"), languages: { length: 11 }, scorer: "squad" }],
      max_length: 384,
      stride: 128,
    });
    expect(loadText("mnli-xlmr-lora").data).toMatchObject({
      train: { ...hub("facebook/xnli"), config: "en", split: "train" },
      development: { ...hub("facebook/xnli"), config: "en", split: "validation" },
      tests: [{ name: "xnli", source: { ...hub("facebook/xnli"), split: "test" }, languages: { length: 15 } }],
      max_length: 128,
    });
  });
});
