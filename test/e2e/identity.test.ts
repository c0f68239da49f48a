import { beforeAll, expect, inject, test } from "vitest";
import type { ControllerEnd } from "../../src/controller/controller.js";
import { readJournal } from "../../src/journal/reader.js";
import { detectorRule } from "../../src/core/measured.js";
import { askWhatIf, verifyJournal } from "../../src/journal/replay.js";
import { livingWorkers, newRunFolder, runTiny, tinyConfig } from "./harness.js";
import { factsOf } from "../support/worker-facts.js";

let online: ControllerEnd;
const onlineFolder = newRunFolder();

beforeAll(async () => {
  online = await runTiny(onlineFolder, tinyConfig());
});

/** The k that the online run found, to be given to others from the start. */
function decidedK(): number {
  return online.results.k!.value;
}

test("an online run finds k, unfreezes by it, and finishes", async () => {
  const { results, state } = online;
  expect(results).toMatchObject({ outcome: "finished", updates: 150, attempts: 1, k: { source: "online" } });
  expect(results.k!.decided_at_update).toBe(decidedK());
  expect(decidedK()).toBeLessThan(75);
  expect(factsOf(state.attempt).trainable).toEqual(["head", "layer4", "layer3"]);
  expect(results.left_frozen).toEqual(["layer2", "layer1", "stem"]);
  expect(results.in_dist!.accuracy).toBeGreaterThan(0.1);
  expect(results.bit_identical).toEqual({ promised: true, dropped_because: [] });
  await expect.poll(() => livingWorkers(onlineFolder)).toEqual([]);
});

test("a run with that k fixed from the start ends with the same weights", async () => {
  // The other run's worker was forked by the nursery; the bits of this one are a new process's.
  const python = inject("realPython");
  const fixed = await runTiny(newRunFolder(), tinyConfig(`intervention.k=${decidedK()}`), { python });
  expect(fixed.results.k).toMatchObject({ value: decidedK(), source: "fixed" });
  expect(fixed.state.signal.series).toEqual({});
  expect(fixed.results.weights_sha256).toBe(online.results.weights_sha256);
});

test("measuring all signals to the end leaves the weights as they are with none", async () => {
  const overrides = ["probe.metrics=[fisher_trace,sharpness_avg,sharpness_worst]", "probe.until=end", "probe.every=10"];
  const measured = await runTiny(newRunFolder(), tinyConfig(`intervention.k=${decidedK()}`, ...overrides));
  const lengths = Object.values(measured.state.signal.series).map((series) => series.length);
  expect(Math.min(...lengths)).toBe(16);
  expect(measured.results.weights_sha256).toBe(online.results.weights_sha256);
});

test("another seed gives other weights", async () => {
  const other = await runTiny(newRunFolder(), tinyConfig(`intervention.k=${decidedK()}`, "seed=1"));
  expect(other.results.weights_sha256).not.toBe(online.results.weights_sha256);
});

test("the journal replays to the same commands and answers what another detector would have said", async () => {
  const { records } = await readJournal(onlineFolder);
  const { state, numCommands } = verifyJournal(records);
  expect(numCommands).toBeGreaterThan(30);
  expect(state.interval).toEqual(online.state.interval);
  const { tau, epsilon } = detectorRule(state.config);
  expect(askWhatIf(state, { metric: "fisher_trace", tau, epsilon }).kOnline).toBe(decidedK());
  expect(askWhatIf(state, { metric: "fisher_trace", tau: 3, epsilon: 1e-6 }).kOnline).toBeNull();
});

test("between boundaries one message goes up and one comes down", async () => {
  const { records } = await readJournal(onlineFolder);
  const count = (type: string): number => records.filter(({ event }) => event.type === type).length;
  const grants = records.flatMap(({ commands = [] }) => commands).filter(({ type }) => type === "worker/grant").length;
  // Each boundary is answered by one grant, the last one by `stop`; the first grant answers `ready`.
  expect(grants).toBe(count("worker/reachedBoundary"));
});
