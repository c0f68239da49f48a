import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blockKey } from "../../src/core/block-series.js";
import { signalKey } from "../../src/core/detector/signal.js";
import type { State } from "../../src/core/state.js";
import { readJournal } from "../../src/journal/reader.js";
import { replayJournal, verifyJournal } from "../../src/journal/replay.js";
import type { Results } from "../../src/reading/results.js";
import { killAt, newRunFolder, runTiny, tinyConfig, type RunHooks } from "./harness.js";

const SETTINGS = ["probe.metrics=[fisher_trace,sharpness_avg]", "train.updates=60", "intervention.k=20"];

interface Made {
  readonly state: State;
  readonly results: Results;
}

async function made(settings: readonly string[], hooks: RunHooks = {}): Promise<Made> {
  const folder = newRunFolder();
  await runTiny(folder, tinyConfig(...SETTINGS, "probe.until=end", ...settings), hooks);
  const { records } = await readJournal(folder);
  verifyJournal(records);
  const results = JSON.parse(readFileSync(join(folder, "results.json"), "utf8")) as Results;
  return { state: replayJournal(records), results };
}

/** All that was measured; what it cost differs from time to time. */
function pointsOf({ signal }: State): unknown {
  return Object.entries(signal.series).map(([key, points]) => [key, points.map(({ seconds: _, ...point }) => point)]);
}

test("a signal is measured of every block that trains as well, whatever dies, and the training is the same", async () => {
  const blocks = await made(["probe.scope=blocks"]);
  const { series } = blocks.state.signal;
  const released = { head: 0, layer4: 20, layer3: 40 };
  for (const key of ["fisher_trace", "sharpness_avg"].map(signalKey)) {
    const updates = series[key]!.map(({ update }) => update);
    expect(updates.length).toBeGreaterThan(20);
    for (const [block, from] of Object.entries(released)) {
      const own = series[blockKey(key, block)]!.map(({ update }) => update);
      expect(own).toEqual(updates.filter((update) => update > from));
    }
  }
  expect(Object.keys(blocks.results.signals_by_block!.blocks)).toEqual(Object.keys(released));

  const killed = await made(["probe.scope=blocks"], {
    onRecord: killAt((_, state) => state.progress.frontier > 45),
  });
  expect(killed.results.attempts).toBe(2);
  expect(pointsOf(killed.state)).toEqual(pointsOf(blocks.state));
  expect(killed.results.weights_sha256).toBe(blocks.results.weights_sha256);

  const whole = await made(["probe.scope=trainable"]);
  expect(whole.results.weights_sha256).toBe(blocks.results.weights_sha256);
  expect(whole.results.signals_by_block).toBeNull();
});
