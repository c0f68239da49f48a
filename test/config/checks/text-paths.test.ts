import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { checkPretrained, checkText } from "../../../src/config/checks/text-paths.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-text-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("checkPretrained", () => {
  it("names a folder that is not there, or holds no model", () => {
    const encoder = join(folder, "encoder");
    expect(() => checkPretrained(encoder)).toThrow(`\`model.pretrained\` names \`${encoder}\`, which does not exist`);
    mkdirSync(encoder);
    expect(() => checkPretrained(encoder)).toThrow("which has no `config.json`");
    writeFileSync(join(encoder, "config.json"), "{}");
    expect(() => checkPretrained(encoder)).not.toThrow();
  });

  it("leaves a model of the Hub to the worker", () => {
    expect(() => checkPretrained("FacebookAI/xlm-roberta-base")).not.toThrow();
  });
});

describe("checkText", () => {
  function check(source: string, ...overrides: string[]): void {
    const { data } = loadConfig({ source, overrides, env: {}, cwd: folder });
    checkText(data as Parameters<typeof checkText>[0]);
  }
  const write = (...names: string[]) => names.forEach((name) => writeFileSync(join(folder, name), "{}"));

  it("wants XQuAD's English, which is trained on, and each language of the test", () => {
    const xquad = (languages: string) => check("xquad-small", "data.path=.", `data.languages=${languages}`);
    write("xquad.de.json");
    expect(() => xquad("[de, zh]")).toThrow(`\`${folder}\` lacks \`xquad.en.json\`, \`xquad.zh.json\``);
    write("xquad.en.json");
    expect(() => xquad("[de]")).not.toThrow();
    expect(() => xquad("[en, de]")).not.toThrow();
    expect(() => check("xquad-small", "data.path=nowhere")).toThrow(`\`${folder}/nowhere\`, which does not exist`);
  });

  it("leaves what is on the Hub to the worker", () => {
    expect(() => check("squad-xlmr-lora")).not.toThrow();
    expect(() => check("mnli-xlmr-lora")).not.toThrow();
  });

  it("looks for each file of a path with a language in it", () => {
    const squad = (source: string) =>
      check("squad-xlmr-lora", `data.tests=[{name: mine, source: "${source}", languages: [de, zh]}]`);
    write("questions.de.json");
    expect(() => squad("./questions.{language}.json")).toThrow(
      `\`data.tests (mine)\` names \`${folder}/questions.zh.json\`, which does not exist`,
    );
    write("questions.zh.json");
    expect(() => squad("./questions.{language}.json")).not.toThrow();
  });

  it("names the part of the data that is not there", () => {
    write("train.json");
    expect(() => check("squad-xlmr-lora", "data.train=train.json", "data.development=dev.json")).toThrow(
      `\`data.development\` names \`${folder}/dev.json\`, which does not exist`,
    );
  });
});
