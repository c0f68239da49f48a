import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isOfProject } from "../../src/trust/project.js";

let home: string;
beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "thawline-home-")));
  for (const path of [
    "project/pyproject.toml",
    "project/configs/mine.yaml",
    "project/deep/er/x.yaml",
    "project/.venv/lib/python3.12/site-packages/torch/x.yaml",
    "project/env/lib/python3.12/x.yaml",
    "project/node_modules/p/x.yaml",
    "project-of-another/x.yaml",
    "Downloads/x.yaml",
    "bare/x.yaml",
    "bare/sub/x.yaml",
    "x.yaml",
  ]) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), "");
  }
  symlinkSync(join(home, "Downloads/x.yaml"), join(home, "project/link.yaml"));
});
afterAll(() => rmSync(home, { recursive: true }));

test.each([
  ["a file of the project", "project/configs", "mine.yaml", true],
  ["seen from a folder beside it", "project/deep/er", "../../configs/mine.yaml", true],
  ["deep under it", "project", "deep/er/x.yaml", true],
  ["the project itself", "project", ".", true],
  ["of another project whose name begins alike", "project", "../project-of-another/x.yaml", false],
  ["downloaded", "project", "../Downloads/x.yaml", false],
  ["a link to what was downloaded", "project", "link.yaml", false],
  ["missing", "project", "none.yaml", false],
  ["an installed package", "project", ".venv/lib/python3.12/site-packages/torch/x.yaml", false],
  ["Python's own library", "project", "env/lib/python3.12/x.yaml", false],
  ["a package of Node", "project", "node_modules/p/x.yaml", false],
  ["in a folder without a project's file", "bare", "x.yaml", true],
  ["under such a folder", "bare", "sub/x.yaml", true],
  ["above it", "bare/sub", "../x.yaml", false],
  ["in the home folder", ".", "x.yaml", true],
  ["under the home folder, seen from there", ".", "Downloads/x.yaml", false],
  ["anywhere, seen from the root", "/", "x.yaml", false],
])("%s", (_, cwd, path, expected) => {
  expect(isOfProject(cwd === "/" ? join(home, path) : path, cwd === "/" ? "/" : join(home, cwd), home)).toBe(expected);
});

test("in a home folder that is a project itself, only what lies in the current folder", () => {
  writeFileSync(join(home, "package.json"), "{}");
  expect(isOfProject("x.yaml", join(home, "bare"), home)).toBe(true);
  expect(isOfProject("../Downloads/x.yaml", join(home, "bare"), home)).toBe(false);
  rmSync(join(home, "package.json"));
});
