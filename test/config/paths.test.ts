import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import { checkPaths } from "../../src/config/paths.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-data-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const withData = (path: string) => loadConfig({ source: "quickstart", overrides: [`data.path=${path}`], cwd: folder });

it("finds the files that come with thawline", () => {
  expect(() => checkPaths(withData("bundled"))).not.toThrow();
});

it("names a folder that does not exist", () => {
  expect(() => checkPaths(withData("missing"))).toThrow(
    `\`data.path\` names \`${folder}/missing\`, which does not exist`,
  );
});

it("names the files that a folder lacks, in any of their spellings", () => {
  writeFileSync(join(folder, "train-images-idx3-ubyte"), "");
  writeFileSync(join(folder, "train-labels.idx1-ubyte"), "");
  writeFileSync(join(folder, "t10k-images.idx3-ubyte.gz"), "");
  expect(() => checkPaths(withData("."))).toThrow(`\`${folder}\` lacks \`t10k-labels-idx1-ubyte\``);
  writeFileSync(join(folder, "t10k-labels-idx1-ubyte.gz"), "");
  expect(() => checkPaths(withData("."))).not.toThrow();
});
