import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRecord, JOURNAL_FILE } from "../../src/journal/format.js";
import { writeOutcome } from "../../src/runs/outcome.js";
import type { Plan, PlannedRun } from "../../src/sweep/plan.js";
import { FAILURE, notesFolderOf, openSweepFolder, TAKEN } from "../../src/sweep/sweep-folder.js";
import { planned } from "../sweep/sweep-file.js";
import { simulateRun } from "./journal-builder.js";

export const SIMULATED_SWEEP = `
base: quickstart
set: { train.updates: 100, probe: { points: 64, every: 2, until: end, metrics: [fisher_trace, sharpness_avg, feature_lambda_max] } }
conditions:
  standard: { set: { intervention.kind: none } }
  online: {}
  gradual: { axes: { intervention.k: [4, 8, 12] } }
seeds: 3
scales:
  small: { set: { train.updates: 90 }, seeds: 3 }
`;

/** What became of a run; `taken` from the run of that id. */
export type Became = "finished" | "failed" | "pending" | "cut off" | { readonly taken: string };

export interface SimulatedSweep {
  readonly folder: string;
  readonly plan: Plan;
}

/** The folder of a sweep that nobody trained: journals by the reducer, accuracies that depend on condition, k and seed. */
export async function simulatedSweep(
  became: (run: PlannedRun, plan: Plan) => Became = () => "finished",
  text = SIMULATED_SWEEP,
): Promise<SimulatedSweep> {
  const folder = join(mkdtempSync(join(tmpdir(), "simulated-sweep-")), "sweep");
  const plan = await planned(text, { scale: "small" });
  openSweepFolder(folder, plan, "0.1.0");
  for (const run of plan.runs) make(folder, run, became(run, plan));
  return { folder, plan };
}

function make(folder: string, run: PlannedRun, became: Became): void {
  if (became === "pending") return;
  mkdirSync(notesFolderOf(folder, run.id), { recursive: true });
  if (typeof became === "object") return TAKEN.write(folder, run.id, { from: became.taken });
  const { config } = run;
  if (config.script !== undefined) throw new Error("scripts are not simulated");
  const own = join(folder, run.id);
  mkdirSync(own);
  const shift = run.seed * 0.011 + (Number(run.axes["intervention.k"] ?? 0) % 7) * 0.006;
  const { records, state } = simulateRun({
    config,
    ...(became === "failed" && { failAt: 40 }),
    signal: (point) => 0.06 + 0.002 * run.seed + 0.02 * (1 - Math.exp(-point / 4)) + shift,
    accuracy: (_split, index) => 0.9 - 0.031 * ((index * 7) % 15) - shift * (index + 1) * 0.2,
  });
  const kept = became === "cut off" ? records.slice(0, Math.floor(records.length / 2)) : records;
  writeFileSync(join(own, JOURNAL_FILE), kept.map(encodeRecord).join(""));
  if (became === "finished") writeOutcome(own, state, 1, "0.1.0");
  const message = "the loss is nan after update 39 at learning rate 0.01";
  if (became === "failed") FAILURE.write(folder, run.id, { call: "1", times: 1, message, output: "" });
}
