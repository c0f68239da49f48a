import { isDone } from "../reading/run-standing.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../reading/results.js";
import { readResults } from "../runs/finished-run.js";
import type { Manifest } from "../runs/manifest.js";
import { MANIFEST_FILE } from "../runs/outcome.js";
import type { Plan, PlannedRun } from "./plan.js";
import { standingOf } from "./standing.js";
import { FAILURE, readPlan, runFolderOf, TAKEN } from "./sweep-folder.js";
import type { Sweep, SweptRun } from "./swept-run.js";

/**
 * A sweep with what exists of each of its runs, from the plan and the folders alone.
 *
 * @throws UserError `not_a_sweep`, `damaged_sweep`
 */
export async function collectSweep(folder: string): Promise<Sweep> {
  return collectPlan(folder, readPlan(folder));
}

export async function collectPlan(folder: string, plan: Plan): Promise<Sweep> {
  const runs = await Promise.all(plan.runs.map((run) => collectRun(folder, run)));
  const { name, title, scale, baseline, evaluateOn, conditions } = plan;
  return { name, title, folder, scale, baseline, evaluateOn, conditions, runs };
}

async function collectRun(folder: string, run: PlannedRun): Promise<SweptRun> {
  const standing = await standingOf(folder, run);
  const takenFrom = standing === "taken" ? (TAKEN.read(folder, run.id)?.from ?? null) : null;
  const own = runFolderOf(folder, takenFrom ?? run.id);
  const hasResults = isDone(standing);
  const { id, condition, seed, axes } = run;
  return {
    id,
    condition,
    seed,
    axes,
    folder: own,
    standing,
    takenFrom,
    results: hasResults ? ownResults(own, takenFrom) : null,
    manifest: hasResults ? readManifest(own) : null,
    failure: standing === "failed" ? (FAILURE.read(folder, id)?.message ?? null) : null,
  };
}

function ownResults(folder: string, takenFrom: string | null): Results | null {
  const results = readResults(folder);
  return results === null || takenFrom === null ? results : asTaken(results);
}

/** The results of a run that trained the same are this one's, but for how k came about: here it was fixed. */
export function asTaken(results: Results): Results {
  if (results.k === null) return results;
  const { value, start } = results.k;
  const k = { ...NOBODYS_DECISION, value, start };
  return { ...results, k };
}

const NOBODYS_DECISION = {
  source: "fixed",
  signal: null,
  decided_at_update: 0,
  k_offline: null,
  k_offline_reason: null,
  every: null,
  tau: null,
  epsilon: null,
} as const;

function readManifest(folder: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(join(folder, MANIFEST_FILE), "utf8")) as Manifest;
  } catch {
    return null;
  }
}
