import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findProgram } from "../../src/launch/program.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
const env = { PATH: ["/nowhere", "bin"].join(delimiter) };

beforeAll(() => {
  mkdirSync(join(folder, "bin", "train"), { recursive: true });
  for (const name of ["train.sh", "bin/trainer", "bin/notes"]) writeFileSync(join(folder, name), "");
  for (const name of ["train.sh", "bin/trainer"]) chmodSync(join(folder, name), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["a name on the PATH", "trainer", "bin/trainer"],
  ["a path from the folder", "./train.sh", "train.sh"],
  ["an absolute path", join(folder, "train.sh"), "train.sh"],
])("finds %s", (_, program, path) => {
  expect(findProgram(program, folder, env)).toBe(join(folder, path));
});

it.each([
  ["a misspelt name", "trainr", "there is no program `trainr` on the PATH"],
  ["a file in the folder, without a slash", "train.sh", "there is no program `train.sh` on the PATH"],
  ["what may not be executed", "notes", "there is no program `notes` on the PATH"],
  ["a folder", "bin/train", `there is no program \`bin/train\` in \`${folder}\``],
])("refuses %s", (_, program, message) => {
  expect(() => findProgram(program, folder, env)).toThrow(message);
});
