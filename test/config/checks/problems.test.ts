import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { load, loadText, MINIMAL, refusal, useConfigFolder } from "../config-folder.js";

useConfigFolder();

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
      \`my.yaml\` has 6 problems
        my.yaml:3:3: unknown key \`train.learning_rat\`; did you mean \`train.learning_rate\`?
        my.yaml:4:3: \`train.batch_size\`: expected a number of at least 1, got \`0\`
        my.yaml:5:15: \`train.schedule.kind\`: expected \`constant\`, \`linear_tail\` or \`linear\`, got \`linear_tial\`; did you mean \`linear_tail\`?
        my.yaml:7:3: \`intervention.kind\`: expected \`gradual_unfreezing\`, \`head_then_full\`, \`learning_rate_switch\` or \`none\`, got \`gradual_unfreezin\`; did you mean \`gradual_unfreezing\`?
        my.yaml:10:1: unknown key \`learning_rate\`; did you mean \`train.learning_rate\`?
        my.yaml:12:27: \`probe.metrics.1\`: expected \`fisher_trace\`, \`sharpness_avg\`, \`sharpness_worst\`, \`critical_sharpness\`, \`hessian_lambda_max\`, \`feature_lambda_max\`, \`feature_rank\` or \`gradient_norm\`, got \`fisher_tracer\`; did you mean \`fisher_trace\`?
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("names every key that is missing", () => {
    expect(refusal(() => loadText("seed: 1"))).toMatchInlineSnapshot(`
      "invalid_config
      \`my.yaml\` has 4 problems
        \`my.yaml\`: \`data.kind\` is missing: expected \`mnist\`, \`cifar10\`, \`cifar100\`, \`fashion_mnist\`, \`image_folder\`, \`question_answering\`, \`sentence_pairs\` or \`xquad_articles\`
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
      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`transfer-small\`, \`transfer-source\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
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
