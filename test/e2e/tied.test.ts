import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { createRunFolder } from "../../src/runs/folder.js";

const CLI = resolve(import.meta.dirname, "../../dist/cli.js");

const OVERRIDES = [
  "model.width=4",
  "data.verify_checksums=false",
  "data.max_train_examples=2048",
  "data.max_test_examples=100",
  "train.updates=100000",
  "evaluate.ood=none",
  "intervention.k=20000",
];

/** A run of a sweep that trains, told to stop as `act` says; how it ended, and what is in its journal. */
async function stopped(
  act: (run: ReturnType<typeof spawn>) => void,
): Promise<{ code: number | null; journal: string }> {
  const config = loadConfig({ source: "quickstart", overrides: OVERRIDES, cwd: "/" });
  const folder = createRunFolder(join(mkdtempSync(join(tmpdir(), "thawline-tied-")), "run"), config);
  const child = spawn(process.execPath, [CLI, "controller", folder, "--create", "run", "--json", "--tied"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  let acted = false;
  child.stdout.on("data", (text: Buffer) => {
    if (acted || !text.includes('"worker/progressed"')) return;
    acted = true;
    act(child);
  });
  const code = await ended;
  return { code, journal: readFileSync(join(folder, "journal"), "utf8") };
}

const count = (journal: string, type: string): number => journal.split(`"type":"${type}"`).length - 1;

test.each<[string, (run: ReturnType<typeof spawn>) => void]>([
  ["whose sweep is gone", (run) => run.stdin!.end()],
  [
    "whose sweep has told it to stop, and is gone before it",
    (run) => {
      run.kill("SIGTERM");
      run.stdout!.on("data", (text: Buffer) => {
        if (text.includes('"controller/interrupted"')) run.stdin!.end();
      });
    },
  ],
])("a run %s stops once, with a checkpoint", async (_, act) => {
  const { code, journal } = await stopped(act);
  expect(code).toBe(130);
  expect(count(journal, "controller/interrupted")).toBe(1);
  expect(count(journal, "worker/checkpointed")).toBe(1);
});
