import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseRunFolder, createRunFolder, readRunConfig, runTimestamp } from "../../src/commands/run-folder.js";
import { loadConfig } from "../../src/config/load.js";

const NOW = new Date("2026-03-04T05:06:07.890Z");

let cwd: string;
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const config = loadConfig({ source: "quickstart", overrides: ["name=digits"], env: {}, cwd: "/" });

test("a run's time is in UTC and holds nothing that a shell or a file system minds", () => {
  expect(runTimestamp(NOW)).toBe("20260304T050607Z");
});

describe("the folder of a new run", () => {
  test("is the one that was asked for, from the current folder", () => {
    expect(chooseRunFolder(config, "here/now", "/home/ada", NOW)).toBe("/home/ada/here/now");
    expect(chooseRunFolder(config, "/there", "/home/ada", NOW)).toBe("/there");
  });

  test("is named by run and time, and numbered within one second", () => {
    const chosen = [1, 2, 3].map(() => {
      const folder = chooseRunFolder(config, undefined, cwd, NOW);
      mkdirSync(folder, { recursive: true });
      return folder.slice(cwd.length);
    });
    expect(chosen).toEqual([
      "/runs/digits-20260304T050607Z",
      "/runs/digits-20260304T050607Z-2",
      "/runs/digits-20260304T050607Z-3",
    ]);
  });

  test("may exist if it is empty, and gives back the configuration that it was made with", () => {
    createRunFolder(cwd, config);
    expect(readdirSync(cwd)).toEqual(["config.yaml"]);
    expect(readRunConfig(cwd)).toEqual(config);
  });

  test("is left alone if something is in it", () => {
    writeFileSync(join(cwd, "notes"), "mine");
    expect(() => createRunFolder(cwd, config)).toThrow(expect.objectContaining({ code: "run_exists" }));
    expect(readdirSync(cwd)).toEqual(["notes"]);
  });

  test("that cannot be made leaves nothing behind", () => {
    writeFileSync(join(cwd, "notes"), "mine");
    const folder = join(cwd, "notes", "run");
    expect(() => createRunFolder(folder, config)).toThrow(expect.objectContaining({ code: "unwritable_run_folder" }));
    expect(readdirSync(cwd)).toEqual(["notes"]);
  });
});
