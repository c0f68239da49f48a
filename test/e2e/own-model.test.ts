import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import type { Config } from "../../src/config/schema.js";
import { killAt, newRunFolder, runTiny } from "./harness.js";
import { factsOf } from "../support/worker-facts.js";

const EXAMPLES = resolve(import.meta.dirname, "../../examples");
/** A folder of a user's own with the example in it. */
function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thawline-own-"));
  for (const file of ["own_model.py", "own_model.yaml"]) cpSync(join(EXAMPLES, file), join(folder, file));
  return folder;
}

/** The example's file, seen from another folder, with nothing changed that is about the model. */
function ownConfig(folder: string, ...overrides: string[]): Config {
  const short = [
    "data.verify_checksums=false",
    "data.max_train_examples=1024",
    "data.max_test_examples=100",
    "train.updates=40",
    "train.batch_size=32",
    "intervention.k=10",
    "checkpoint.every=15",
    "evaluate.ood=none",
    "supervision.restart_delay_seconds=0.05",
  ];
  return loadConfig({ source: join(folder, "own_model.yaml"), overrides: [...short, ...overrides], cwd: tmpdir() });
}

test("a model of the user's own is unfrozen block by block, and a crash changes nothing", async () => {
  const folder = ownFolder();
  const whole = await runTiny(newRunFolder(), ownConfig(folder));
  expect(whole.results).toMatchObject({ outcome: "finished", updates: 40, k: { value: 10, source: "fixed" } });
  expect(factsOf(whole.state.attempt).trainable).toEqual(["head", "conv2", "conv1"]);

  const crashed = await runTiny(newRunFolder(), ownConfig(folder), {
    onRecord: killAt(({ event }) => event.type === "worker/checkpointed"),
  });
  expect(crashed.results).toMatchObject({ outcome: "finished", attempts: 2 });
  expect(crashed.results.weights_sha256).toBe(whole.results.weights_sha256);
});

test("what the user's code raises fails the run at once, with its own traceback in the log", async () => {
  const folder = ownFolder();
  writeFileSync(join(folder, "own_model.py"), "def build(**sizes):\n    raise ValueError('not today')\n");
  const runFolder = newRunFolder();
  const { results, state } = await runTiny(runFolder, ownConfig(folder));
  expect(results).toMatchObject({ outcome: "failed", attempts: 1 });
  expect(state.end).toMatchObject({
    exitCode: 1,
    code: "user_code",
    message: "`own_model:build` raised ValueError: not today",
    hint: "the traceback is in `worker.log`",
  });
  const log = readFileSync(join(runFolder, "worker.log"), "utf8");
  expect(log).toContain(`File "${folder}/own_model.py", line 2, in build`);
  expect(log).not.toContain("thawline/models");
});

test("a module that is nowhere is the user's to mend", async () => {
  const folder = ownFolder();
  const { results, state } = await runTiny(newRunFolder(), ownConfig(folder, "model.folder=/usr"));
  expect(results).toMatchObject({ outcome: "failed", attempts: 1 });
  expect(state.end).toMatchObject({
    exitCode: 2,
    code: "invalid_model",
    message: "`model.kind` is `own_model:build`, but there is no module `own_model` in /usr or on the Python path",
  });
});
