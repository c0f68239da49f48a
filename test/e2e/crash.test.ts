import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeFileSync } from "node:fs";
import { beforeAll, expect, inject, test } from "vitest";
import type { ControllerEnd } from "../../src/controller/controller.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { seededRandom } from "../support/random.js";
import { killAt, livingWorkers, newRunFolder, runTiny, tinyConfig } from "./harness.js";
import { factsOf } from "../support/worker-facts.js";

let undisturbed: ControllerEnd;

beforeAll(async () => {
  undisturbed = await runTiny(newRunFolder(), tinyConfig());
});

/** The same weights and the same decisions as without the crash, a journal that replays, and no process left. */
async function expectUndisturbed(runFolder: string, end: ControllerEnd): Promise<void> {
  expect(end.results.outcome).toBe("finished");
  expect(end.results.weights_sha256).toBe(undisturbed.results.weights_sha256);
  expect(end.state.interval).toEqual(undisturbed.state.interval);
  expect(end.results.bit_identical.promised).toBe(true);
  const values = (state: State) =>
    state.signal.series["probe/fisher_trace"]!.map(({ update, value }) => [update, value]);
  expect(values(end.state)).toEqual(values(undisturbed.state));
  const { records } = await readJournal(runFolder);
  verifyJournal(records);
  const decided = records.flatMap(({ decisions = [] }) => decisions).filter(({ type }) => type === "interval/decided");
  expect(decided).toHaveLength(1);
  await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
}

test("a worker killed at random moments, twice before its first checkpoint", async () => {
  const runFolder = newRunFolder();
  // After `ready`, in milliseconds.
  const random = seededRandom();
  const delays = [50, 400, 900, 1500].map((most) => Math.round(random() * most));
  const left = [...delays];
  const end = await runTiny(runFolder, tinyConfig(), {
    onRecord: ({ event }, _, killWorker) => {
      const delay = event.type === "worker/prepared" ? left.shift() : undefined;
      if (delay !== undefined) setTimeout(() => tryTo(killWorker), delay);
    },
  });
  await expectUndisturbed(runFolder, end);
  expect(end.results.attempts).toBeGreaterThan(1);
});

/** The worker may have ended by itself in the meantime. */
function tryTo(killWorker: () => void): void {
  try {
    killWorker();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

test("a worker killed at the decision, after it, and while the newest checkpoint is older than it", async () => {
  const runFolder = newRunFolder();
  const k = undisturbed.results.k!.value;
  const end = await runTiny(runFolder, tinyConfig(), {
    onRecord: killAt(
      // Journaled, and its grant not yet sent.
      ({ decisions = [] }) => decisions.some(({ type }) => type === "interval/decided"),
      // The grant that unfreezes is carried out. The newest checkpoint is at step 39.
      ({ event }, state) => event.type === "worker/applied" && factsOf(state.attempt).trainable.length === 2,
      // On the way from the decision to the next checkpoint.
      ({ event }, state) =>
        event.type === "worker/reachedBoundary" && event.body.update > k && state.attempts.launched === 3,
    ),
  });
  expect(end.results.attempts).toBe(4);
  await expectUndisturbed(runFolder, end);
});

test("a controller killed between journaling the decision and sending its grant", async () => {
  const runFolder = newRunFolder();
  await runControllerThatDies(runFolder, "interval/decided");
  const { records } = await readJournal(runFolder);
  expect(records.at(-1)!.decisions!.map(({ type }) => type)).toContain("interval/decided");
  const end = await runTiny(runFolder, null);
  expect(end.state.term).toBe(2);
  await expectUndisturbed(runFolder, end);
});

/** A controller that kills itself as soon as a record with that decision is in the journal; real processes, both. */
async function runControllerThatDies(runFolder: string, decision: string): Promise<void> {
  const config = join(newRunFolder(), "tiny.yaml");
  writeFileSync(config, stringify(tinyConfig()));
  const program = join(PACKAGE_ROOT, "test", "fixtures", "controller-that-dies.mjs");
  const child = spawn(process.execPath, [program, runFolder, config, decision], {
    stdio: "inherit",
    env: { ...process.env, THAWLINE_PYTHON: inject("realPython") },
  });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
}

test("interrupted, resumed by another controller, interrupted again and resumed", async () => {
  const runFolder = newRunFolder();
  const interruptAt = (update: number) => {
    let listener: ((signal: string) => void) | null = null;
    let done = false;
    return {
      interrupts: (given: (signal: string) => void) => (listener = given),
      onRecord: (_: JournalRecord, state: State) => {
        if (done || factsOf(state.attempt).update < update) return;
        done = true;
        // Not inside the event that is being taken: a signal comes from outside.
        setImmediate(() => listener!("SIGINT"));
      },
    };
  };
  const first = await runTiny(runFolder, tinyConfig(), interruptAt(30));
  expect(first.state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
  expect(first.state.weights.checkpoints.at(-1)!.step).toBe(factsOf(first.state.attempt).update - 1);
  const second = await runTiny(runFolder, null, interruptAt(100));
  expect(second.state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
  await expectUndisturbed(runFolder, await runTiny(runFolder, null));
});
