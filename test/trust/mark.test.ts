import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { trustKeyFile } from "../../src/trust/key.js";
import { hasMark, MARK_FILE, writeMark } from "../../src/trust/mark.js";

let folder: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-mark-"));
  env = { XDG_CONFIG_HOME: join(folder, "settings") };
});
afterEach(() => rmSync(folder, { recursive: true }));

const code = { script: { command: ["python", "train.py"], folder: "/work" }, model: undefined };

test("a marked run is known again by the same user, whatever the order of its keys", () => {
  expect(hasMark(folder, code, env)).toBe(false);
  expect(writeMark(folder, code, env)).toBeNull();
  expect(hasMark(folder, code, env)).toBe(true);
  expect(hasMark(folder, { script: { folder: "/work", command: ["python", "train.py"] } }, env)).toBe(true);
});

test("a mark holds for nothing else, and for nobody else", () => {
  writeMark(folder, code, env);
  expect(hasMark(folder, { script: { ...code.script, command: ["python", "evil.py"] } }, env)).toBe(false);
  expect(hasMark(folder, code, { XDG_CONFIG_HOME: join(folder, "others") })).toBe(false);
  for (const forged of ["", "00", "zz", readFileSync(join(folder, MARK_FILE), "utf8").slice(2)]) {
    writeFileSync(join(folder, MARK_FILE), forged);
    expect(hasMark(folder, code, env)).toBe(false);
  }
});

test("the key is made once, for its owner alone, and nothing is trusted by one that others can read", () => {
  writeMark(folder, code, env);
  const [path, key] = [trustKeyFile(env), readFileSync(trustKeyFile(env), "utf8")];
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  writeMark(folder, code, env);
  expect(readFileSync(path, "utf8")).toBe(key);
  chmodSync(path, 0o644);
  expect(hasMark(folder, code, env)).toBe(false);
  expect(writeMark(folder, code, env)).toContain("others may read it");
});

test("without a place for the key there is a reason, and no mark", () => {
  writeFileSync(join(folder, "file"), "");
  expect(writeMark(folder, code, { XDG_CONFIG_HOME: join(folder, "file") })).toContain("cannot be written (ENOTDIR)");
  expect(hasMark(folder, code, { XDG_CONFIG_HOME: join(folder, "file") })).toBe(false);
  expect(trustKeyFile({ HOME: "/home/me", XDG_CONFIG_HOME: "relative" })).toBe("/home/me/.config/thawline/trust.key");
});
