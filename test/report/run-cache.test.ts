import { utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RunCache } from "../../src/report/run-cache.js";
import { historyRun } from "../support/history-run.js";

it("a journal that has its end is read once, and again only where it has changed", async () => {
  const folders = ["vision-online", "text"].map((name) => historyRun(name));
  const cache = new RunCache();
  await cache.read(folders);
  await cache.read(folders);
  expect(cache.numRead).toBe(2);
  const { version } = cache;
  utimesSync(join(folders[0]!, "journal"), 1, 1);
  const { runs, unread } = await cache.read(folders);
  expect([runs.length, unread.length, cache.numRead]).toEqual([2, 0, 3]);
  expect(cache.version).not.toBe(version);
});
