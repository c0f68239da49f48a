import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../../src/config/layers/load.js";
import { configSchema } from "../../../src/config/schema.js";
import { UserError } from "../../../src/errors.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-model-"));
  mkdirSync(join(folder, "sub"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const OWN = `preset: quickstart
model:
  kind: my_package.models:build
  options: { width: 8, activation: relu, residual: true, dropout: null }
  blocks:
    - { name: top, pattern: '^conv2\\.' }
    - { name: stem, pattern: '^conv1\\.' }
  head: '^fc\\.'
`;

function load(yaml: string, ...overrides: string[]) {
  writeFileSync(join(folder, "sub", "own.yaml"), yaml);
  return loadConfig({ source: "sub/own.yaml", overrides, cwd: folder });
}

/** What a person would read. */
function refusal(yaml: string, ...overrides: string[]): string {
  try {
    load(yaml, ...overrides);
  } catch (error) {
    if (error instanceof UserError) return `${error.message}\nhint: ${error.hint}`;
    throw error;
  }
  return "accepted";
}

describe("a model of the user's own", () => {
  it("replaces that of the preset", () => {
    expect(load(OWN).model).toEqual({
      kind: "my_package.models:build",
      folder: join(folder, "sub"),
      weights: null,
      weights_sha256: null,
      weights_head: "fitting",
      options: { width: 8, activation: "relu", residual: true, dropout: null },
      blocks: [
        { name: "top", pattern: "^conv2\\." },
        { name: "stem", pattern: "^conv1\\." },
      ],
      head: "^fc\\.",
    });
  });

  it("is looked for beside the file that names it, wherever that is loaded from", () => {
    const nested = (text: string) => load(OWN.replace("  kind:", `  folder: ${text}\n  kind:`)).model;
    expect(nested("..")).toMatchObject({ folder });
    expect(nested("/opt/code")).toMatchObject({ folder: "/opt/code" });
    expect(load(OWN, "model.folder=code").model).toMatchObject({ folder: join(folder, "code") });
    expect(load(OWN, "model.options.width=2").model).toMatchObject({
      folder: join(folder, "sub"),
      options: { width: 2, activation: "relu" },
    });
  });

  it("named on the command line is looked for in the current folder", () => {
    const overrides = ["model.kind=other:build", "model.head=fc", "model.blocks=[{name: all, pattern: conv}]"];
    expect(load(OWN, ...overrides).model).toMatchObject({ kind: "other:build", folder, options: {} });
  });

  it("is resolved: loaded again it is the same", () => {
    const config = load(OWN);
    expect(configSchema.parse(config)).toEqual(config);
    expect(load(stringify(config)).model).toEqual(config.model);
  });
});

describe("refusals", () => {
  it("of a kind propose the word that was meant, and say what else there is", () => {
    expect(refusal("preset: quickstart\nmodel: { kind: resnet81 }")).toMatchInlineSnapshot(`
      "sub/own.yaml:2:10: \`model.kind\`: expected \`resnet18\`, \`vgg11\`, \`encoder\` or an import path such as \`my_package.my_module:build\`, got \`resnet81\`
      hint: did you mean \`resnet18\`?"
    `);
    expect(refusal(OWN, "model.kind=my_package.models.build")).toMatchInlineSnapshot(`
      "command line: \`model.kind\`: expected \`resnet18\`, \`vgg11\`, \`encoder\` or an import path such as \`my_package.my_module:build\`, got \`my_package.models.build\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN, "model.kind=my-package:build")).toMatchInlineSnapshot(`
      "command line: \`model.kind\`: expected \`resnet18\`, \`vgg11\`, \`encoder\` or an import path such as \`my_package.my_module:build\`, got \`my-package:build\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal("preset: quickstart\nmodel: resnet18")).toMatchInlineSnapshot(`
      "sub/own.yaml:2:1: \`model\`: expected a mapping whose \`kind\` is \`resnet18\`, \`vgg11\`, \`encoder\` or an import path such as \`my_package.my_module:build\`, got \`resnet18\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("of what a model of one's own lacks or has too much are about its form", () => {
    expect(refusal("preset: quickstart\nmodel: { kind: 'a:b', width: 3 }")).toMatchInlineSnapshot(`
      "\`sub/own.yaml\` has 3 problems
        \`sub/own.yaml\`: \`model.blocks\` is missing: expected a list
        \`sub/own.yaml\`: \`model.head\` is missing: expected a text
        sub/own.yaml:2:23: unknown key \`model.width\` for this \`model.kind\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal("preset: quickstart\nmodel: { kind: resnet18, head: fc }")).toMatchInlineSnapshot(`
      "sub/own.yaml:2:26: unknown key \`model.head\` for this \`model.kind\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  it("of blocks, patterns and options name the place", () => {
    expect(refusal(OWN.replace("name: stem", "name: top"))).toMatchInlineSnapshot(`
      "sub/own.yaml:7:9: \`model.blocks\` has the name \`top\` twice
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN.replace("name: stem", "name: head"))).toMatchInlineSnapshot(`
      "sub/own.yaml:7:9: a block of \`model.blocks\` has the name of the head
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN.replace("^conv1\\.", "^conv1("))).toMatchInlineSnapshot(`
      "sub/own.yaml:7:21: \`model.blocks.1.pattern\`: expected a regular expression (unterminated group), got \`^conv1(\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN.replace("^fc\\.", ""))).toMatchInlineSnapshot(`
      "sub/own.yaml:8:3: \`model.head\`: expected a text that is not empty, got \`\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN, "model.blocks=[]")).toMatchInlineSnapshot(`
      "command line: \`model.blocks\`: expected a list of length 1 or more, got a list
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN, "model.blocks=[{name: a b, pattern: x}]")).toMatchInlineSnapshot(`
      "command line: \`model.blocks.0.name\`: expected up to 64 letters, digits, \`.\`, \`_\` and \`-\`, beginning with a letter or digit, got \`a b\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN, "model.options={widths: [1, 2]}")).toMatchInlineSnapshot(`
      "command line: \`model.options.widths\`: expected a text, a number, \`true\`, \`false\` or \`null\`, got a list
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(OWN, "data.normalization={mean: [1, 2, 3, 4], std: [1]}")).toMatchInlineSnapshot(`
      "command line: \`data.normalization.mean\`: expected a list of length 3 or less, got a list
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });
});

describe("an adapter other than LoRA", () => {
  const IA3 = `preset: xquad-small
model:
  adapter: { method: ia3, targets: [key, value], options: { feedforward_modules: [], init_ia3_weights: true } }
`;

  it("has options that are texts, numbers or lists of texts, as PEFT's are", () => {
    const { model } = load(IA3);
    expect(model).toMatchObject({ adapter: { method: "ia3", options: { feedforward_modules: [] } } });
    expect(refusal(IA3.replace("[]", "[1]"))).toMatchInlineSnapshot(`
      "sub/own.yaml:3:83: \`model.adapter.options.feedforward_modules.0\`: expected a text, got \`1\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(refusal(IA3.replace("method: ia3", "method: IA3"))).toMatchInlineSnapshot(`
      "sub/own.yaml:3:14: \`model.adapter.method\`: expected \`lora\` or another method of PEFT, such as \`ia3\`, got \`IA3\`
      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });
});
