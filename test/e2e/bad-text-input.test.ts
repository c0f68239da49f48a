import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CommandLine } from "./command-line.js";
import { writtenTexts } from "./texts.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
  symlinkSync(await writtenTexts(), join(commandLine.folder, "texts"));
});
afterAll(() => {
  commandLine.close();
});

const ENCODER = "model.pretrained=./texts/encoder";
const XQUAD = "data.path=texts/xquad";

describe("npx thawline run refuses, and leaves nothing behind,", () => {
  test("an encoder that is not there", async () => {
    expect(await commandLine.refused("run", "xquad-small", XQUAD)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`model.pretrained\` names \`CWD/models/multilingual-e5-small\`, which does not exist

      hint: \`.venv/bin/python scripts/prepare-encoder.py\` makes \`./models/multilingual-e5-small\`; or name another folder, or a model of the Hub with its \`model.revision\`"
    `);
    expect(await commandLine.refused("run", "xquad-small", XQUAD, "model.pretrained=./texts")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`model.pretrained\` names \`CWD/texts\`, which has no \`config.json\`

      hint: \`.venv/bin/python scripts/prepare-encoder.py\` makes \`./models/multilingual-e5-small\`; or name another folder, or a model of the Hub with its \`model.revision\`"
    `);
  });

  test("questions that are not there", async () => {
    expect(await commandLine.refused("run", "xquad-small", ENCODER)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`data.path\` names \`CWD/xquad\`, which does not exist

      hint: get it by \`git clone https://github.com/google-deepmind/xquad\`, and set \`data.path\` to that folder"
    `);
    expect(await commandLine.refused("run", "xquad-small", ENCODER, "data.path=texts/squad")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/texts/squad\` lacks \`xquad.en.json\`, \`xquad.es.json\`, \`xquad.de.json\`, \`xquad.ru.json\`, \`xquad.zh.json\`

      hint: get it by \`git clone https://github.com/google-deepmind/xquad\`, and set \`data.path\` to that folder"
    `);
    const test = "data.tests=[{name: mlqa, source: ./MLQA_V1, scorer: mlqa}]";
    expect(await commandLine.refused("run", "squad-xlmr-lora", test)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`data.tests (mlqa)\` names \`CWD/MLQA_V1\`, which does not exist

      hint: set it to a file or folder as published, or to a split on the Hub: \`{hub: ..., revision: ..., split: ...}\`"
    `);
  });

  test("a model of the Hub whose content may change", async () => {
    expect(
      await commandLine.refused(
        "run",
        "squad-xlmr-lora",
        "model.pretrained=FacebookAI/xlm-roberta-large",
        "model.revision=null",
      ),
    ).toMatchInlineSnapshot(`
      "exit code 2
      error: command line: \`model.revision\` is missing: \`FacebookAI/xlm-roberta-large\` is a model on the Hub, whose content may change

      hint: give the 40 hex digits of one of its commits, or write a folder as \`./folder\`"
    `);
  });
});

describe("a run ends as failed, and not restarted, when its worker finds", () => {
  /** What is said of it. */
  async function failed(name: string, args: string[], python = commandLine.python, env = {}): Promise<string> {
    const settings = ["device.threads=1", "--run-dir", name, "--json"];
    const result = await commandLine.start(["run", ...args, ...settings], python, env);
    const results = JSON.parse(readFileSync(join(commandLine.folder, name, "results.json"), "utf8")) as object;
    expect(results).toMatchObject({ outcome: "failed", updates: 0, attempts: 1 });
    return commandLine.complaint(result);
  }

  test("no tokenizer beside the encoder", async () => {
    cpSync(join(commandLine.folder, "texts", "encoder"), join(commandLine.folder, "mute"), { recursive: true });
    rmSync(join(commandLine.folder, "mute", "tokenizer.json"));
    const said = await failed("without-tokenizer", ["xquad-small", "model.pretrained=./mute", XQUAD]);
    expect(said).toMatchInlineSnapshot(`
      "exit code 2
      error: CWD/mute has no tokenizer.json

      hint: put tokenizer.json and tokenizer_config.json beside the model, as \`save_pretrained\` of a fast tokenizer does"
    `);
  });

  test("a file of questions cut off", async () => {
    mkdirSync(join(commandLine.folder, "cut"));
    cpSync(join(commandLine.folder, "texts", "xquad"), join(commandLine.folder, "cut"), { recursive: true });
    truncateSync(join(commandLine.folder, "cut", "xquad.de.json"), 1000);
    const said = await failed("malformed", ["xquad-small", ENCODER, "data.path=cut"]);
    expect(said).toMatchInlineSnapshot(`
      "exit code 2
      error: CWD/cut/xquad.de.json is not SQuAD v1.1 JSON (Input data was truncated)

      hint: replace it by the published file; \`answer_start\` counts the context's characters, a leading U+FEFF too"
    `);
  });

  /** With an empty cache and no network nothing on the Hub can be had; the reason is in the words of its library. */
  async function failedOffline(name: string, args: string[]): Promise<string> {
    const said = await failed(name, args, commandLine.python, { HF_HUB_OFFLINE: "1" });
    return said.replace(/loaded \(.+\)$/m, "loaded (WHY)");
  }

  test("the encoder on the Hub out of reach", async () => {
    expect(await failedOffline("no-encoder", ["squad-xlmr-lora"])).toMatchInlineSnapshot(`
      "exit code 2
      error: the encoder FacebookAI/xlm-roberta-base cannot be loaded (WHY)

      hint: it must be a folder with config.json and model.safetensors, or a model on the Hub: where there is no network, load it into HF_HOME where there is one, or name a folder"
    `);
  });

  test("data on the Hub out of reach", async () => {
    const args = ["mnli-xlmr-lora", ENCODER, "model.revision=null"];
    expect(await failedOffline("no-data", args)).toMatchInlineSnapshot(`
      "exit code 2
      error: facebook/xnli (en), split train cannot be loaded (WHY)

      hint: check its name, config, split and revision; without a network, HF_HUB_OFFLINE=1 uses what is cached"
    `);
  });

  test("the packages of the text side missing", async () => {
    // Python says of a module that is None there that it cannot be found.
    const without = "import runpy, sys; sys.modules['transformers'] = None; ";
    const worker = `${without}runpy.run_module('thawline.worker', run_name='__main__')`;
    const bare = commandLine.writePython("python-without-text", `exec "${commandLine.python}" -c "${worker}"`);
    expect(await failed("no-packages", ["xquad-small", ENCODER, XQUAD], bare)).toMatchInlineSnapshot(`
      "exit code 2
      error: this run trains a text encoder, for which the Python package \`transformers\` is missing

      hint: run \`node scripts/bootstrap.mjs --with-text\`; for a Python of your own it says what that lacks"
    `);
  });
});
