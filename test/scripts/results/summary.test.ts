import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { summarise } from "../../../scripts/results/summary.mjs";
import { encodeRecord } from "../../../src/journal/format.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-summary-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("keeps what came out, the signals, and what other windows would have chosen", async () => {
  const run = new SimulatedRun(simulatedConfig("probe.until=end")).finish();
  writeFileSync(join(folder, "journal"), run.records.map(encodeRecord).join(""));
  writeFileSync(join(folder, "results.json"), JSON.stringify({ wall_seconds: 12.5 }));
  writeFileSync(join(folder, "manifest.json"), "{}");
  const summary = await summarise({ id: "a", config: "quickstart", settings: [] }, folder);
  const { k } = run.state.interval!;
  expect(summary).toMatchObject({ id: "a", results: { k: { value: k }, wall_seconds: 12.5 } });
  expect(summary.what_if.map(({ metric, tau }) => [metric, tau])).toEqual([
    ["fisher_trace", 3],
    ["fisher_trace", 8],
  ]);
  expect(summary.what_if[0]!.k_online).toBe(k);
  const points = run.state.signal.series["probe/fisher_trace"]!;
  expect(summary.series["fisher_trace"]!.value).toEqual(points.map(({ value }) => value));
});
