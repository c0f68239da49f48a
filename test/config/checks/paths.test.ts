import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { checkPaths } from "../../../src/config/checks/paths.js";

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

describe.each([
  { kind: "cifar10", archive: "cifar-10-python.tar.gz", unpacked: "cifar-10-batches-py", first: "data_batch_1" },
  { kind: "cifar100", archive: "cifar-100-python.tar.gz", unpacked: "cifar-100-python", first: "train" },
])("$kind", ({ kind, archive, unpacked, first }) => {
  const check = (path: string) => {
    const overrides = [`data.kind=${kind}`, "evaluate.ood=none", `data.path=${path}`];
    checkPaths(loadConfig({ source: "quickstart", overrides, cwd: folder }));
  };

  it("may be the archive, its folder, or a folder with one of them", () => {
    expect(() => check(".")).toThrow(`\`${folder}\` holds neither \`${archive}\` nor \`${first}\``);
    writeFileSync(join(folder, archive), "");
    expect(() => check(archive)).not.toThrow();
    expect(() => check(".")).not.toThrow();
    rmSync(join(folder, archive));
    mkdirSync(join(folder, unpacked));
    writeFileSync(join(folder, unpacked, first), "");
    expect(() => check(unpacked)).not.toThrow();
    expect(() => check(".")).not.toThrow();
  });
});

it("names the split that an image folder lacks", () => {
  mkdirSync(join(folder, "train"));
  const overrides = ["data.kind=image_folder", "evaluate.ood=none", "data.path=."];
  expect(() => checkPaths(loadConfig({ source: "quickstart", overrides, cwd: folder }))).toThrow("lacks `test`");
});

it("names the folder of a user's own model that does not exist", () => {
  const blocks = "model.blocks=[{name: all, pattern: x}]";
  const own = (path: string) =>
    loadConfig({
      source: "quickstart",
      overrides: ["model.kind=own:build", blocks, "model.head=fc", `model.folder=${path}`],
      cwd: folder,
    });
  expect(() => checkPaths(own("."))).not.toThrow();
  expect(() => checkPaths(own("code"))).toThrow(`\`model.folder\` names \`${folder}/code\`, which does not exist`);
});

it("names the folders of corruptions and textures that do not exist", () => {
  const check = (setting: string) => {
    const overrides = ["data.kind=cifar10", "evaluate.ood=cifar_c", "data.path=.", setting];
    checkPaths(loadConfig({ source: "quickstart", overrides, cwd: folder }));
  };
  writeFileSync(join(folder, "cifar-10-python.tar.gz"), "");
  expect(() => check("evaluate.ood_path=.")).not.toThrow();
  expect(() => check("evaluate.ood_path=files")).toThrow(`\`evaluate.ood_path\` names \`${folder}/files\``);
  expect(() => check("evaluate.frost_textures=frost")).toThrow(
    `\`evaluate.frost_textures\` names \`${folder}/frost\`, which does not exist`,
  );
});
