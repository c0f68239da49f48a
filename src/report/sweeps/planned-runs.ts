import { existsSync } from "node:fs";
import { join } from "node:path";
import { JOURNAL_FILE } from "../../journal/format.js";
import { composeManifest } from "../../runs/manifest.js";
import { standingOf } from "../../sweep/standing.js";
import { FAILURE, readPlan, runFolderOf, TAKEN } from "../../sweep/sweep-folder.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import type { RunCache } from "../run-cache.js";
import type { RunFacts } from "../facts/run-facts.js";
import { differencesOf } from "./differences.js";
import { failureOf } from "./loose-runs.js";
import type { SweepFacts } from "./sweep-facts.js";

/**
 * The sweep whose plan is in a folder; runs that have not begun are in it too, and counted.
 *
 * @throws UserError what is wrong with the plan
 */
export async function plannedRuns(folder: string, cache: RunCache): Promise<SweepFacts> {
  const plan = readPlan(folder);
  const standings = await Promise.all(plan.runs.map((run) => standingOf(folder, run)));
  const folders = plan.runs.map(({ id }) => runFolderOf(folder, TAKEN.read(folder, id)?.from ?? id));
  const begun = [...new Set(folders)].filter((one) => existsSync(join(one, JOURNAL_FILE)));
  const { runs, unread } = await cache.read(begun);
  const byFolder = new Map(runs.map((run) => [run.folder, run]));
  const facts = new Map<string, RunFacts>();
  const swept = plan.runs.map((planned, index): SweptRun => {
    const { id, condition, seed, axes } = planned;
    const run = byFolder.get(folders[index]!) ?? null;
    if (run !== null) facts.set(id, run);
    const standing = standings[index]!;
    const isDone = standing === "finished" || standing === "taken";
    return {
      id,
      condition,
      seed,
      axes,
      folder: folders[index]!,
      standing,
      takenFrom: TAKEN.read(folder, id)?.from ?? null,
      results: run !== null && isDone ? run.results : null,
      manifest:
        run === null
          ? null
          : { ...composeManifest(run.state, run.versions.thawline ?? ""), host: run.attempts.at(-1)?.host ?? "" },
      failure: FAILURE.read(folder, id)?.message ?? (run === null ? null : failureOf(run)),
    };
  });
  const { name, scale, evaluateOn, baseline, conditions } = plan;
  const sweep: Sweep = { name, folder, scale, evaluateOn, baseline, conditions, runs: swept };
  const own = differencesOf(plan.runs.map(({ config }) => config));
  const differences = Object.fromEntries(plan.runs.map(({ condition }, index) => [condition, own[index]!]));
  return { sweep, runs: facts, unread, differences };
}
