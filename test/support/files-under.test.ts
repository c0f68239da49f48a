import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { filesUnder } from "./files-under.js";

/** Makes and removes a folder with files in it until it is told to stop. */
const BUSY = `
  const { mkdirSync, rmSync, writeFileSync } = require("node:fs");
  const { workerData } = require("node:worker_threads");
  while (Atomics.load(workerData.stop, 0) === 0) {
    mkdirSync(workerData.folder + "/draft/deep", { recursive: true });
    writeFileSync(workerData.folder + "/draft/deep/file", "");
    rmSync(workerData.folder + "/draft", { recursive: true, force: true });
    Atomics.add(workerData.stop, 1, 1);
  }
`;

test("a folder is listed with everything below it", () => {
  const folder = mkdtempSync(join(tmpdir(), "files-under-"));
  mkdirSync(join(folder, "b", "c"), { recursive: true });
  writeFileSync(join(folder, "b", "c", "d"), "");
  writeFileSync(join(folder, "a"), "");
  expect(filesUnder(folder)).toEqual(["a", "b", "b/c", "b/c/d"]);
});

test("a folder is listed while others in it come and go", async () => {
  const folder = mkdtempSync(join(tmpdir(), "files-under-"));
  writeFileSync(join(folder, "stays"), "");
  const stop = new Int32Array(new SharedArrayBuffer(8));
  const busy = new Worker(BUSY, { eval: true, workerData: { folder, stop } });
  const ended = new Promise((resolve) => busy.once("exit", resolve));
  await new Promise((resolve) => busy.once("online", resolve));
  const listings: string[][] = [];
  while (Atomics.load(stop, 1) < 1000) listings.push(filesUnder(folder));
  Atomics.store(stop, 0, 1);
  await ended;
  expect(listings.every((names) => names.includes("stays"))).toBe(true);
  expect(new Set(listings.map((names) => names.length)).size).toBeGreaterThan(1);
});
