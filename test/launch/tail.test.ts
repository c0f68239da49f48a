import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tailOf } from "../../src/launch/tail.js";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tail-"));
  path = join(folder, "worker.log");
});

afterEach(() => rm(folder, { recursive: true }));

test.each([
  ["the last lines", "a\nb\nc\n", 2, 100, "b\nc"],
  ["all of a short file", "a", 5, 100, "a"],
  ["no more than the bytes", "abcdef\nxyz\n", 5, 6, "f\nxyz"],
  ["no half character", "\u00fc\u00fc\u00fc", 5, 3, "\u00fc"],
  ["of a progress bar what it showed last", "a\n 1 %\r 50 %\r\nc\r\n", 5, 100, "a\n 50 %\nc"],
  ["nothing of an empty file", "", 5, 100, ""],
])("%s", async (_, content, lines, bytes, expected) => {
  await writeFile(path, content);
  expect(await tailOf(path, lines, bytes)).toBe(expected);
});

test("a missing file has no tail", async () => {
  expect(await tailOf(path, 5, 100)).toBe("");
});
