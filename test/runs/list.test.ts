import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { latestRunFolder, runFoldersIn } from "../../src/runs/list.js";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "thawline-test-"));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

function makeRun(name: string, modifiedAt: number): void {
  const folder = join(cwd, "runs", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "journal"), "");
  utimesSync(join(folder, "journal"), modifiedAt, modifiedAt);
}

test("runs are listed by the time of their journals, newest first, and other folders are not runs", () => {
  makeRun("middle", 2000);
  makeRun("oldest", 1000);
  makeRun("newest", 3000);
  mkdirSync(join(cwd, "runs", "notes"));
  writeFileSync(join(cwd, "runs", "readme"), "");
  const names = runFoldersIn(join(cwd, "runs")).map((path) => path.slice(join(cwd, "runs").length + 1));
  expect(names).toEqual(["newest", "middle", "oldest"]);
  expect(latestRunFolder(cwd)).toBe(join(cwd, "runs", "newest"));
});

test("without a run there is nothing to watch", () => {
  expect(() => latestRunFolder(cwd)).toThrow(expect.objectContaining({ code: "no_runs" }));
  mkdirSync(join(cwd, "runs"));
  expect(() => latestRunFolder(cwd)).toThrow("there is no run under `runs`");
});
