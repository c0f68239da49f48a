import { isDone } from "../../reading/run-standing.js";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { JOURNAL_FILE } from "../../journal/format.js";
import { asTaken, collectPlan } from "../../sweep/collect.js";
import { readPlan } from "../../sweep/sweep-folder.js";
import type { SweptRun } from "../../sweep/swept-run.js";
import type { RunFacts } from "../facts/run-facts.js";
import type { RunCache } from "../run-cache.js";
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
  const sweep = await collectPlan(folder, plan);
  const begun = [...new Set(sweep.runs.map((run) => run.folder))].filter((one) => existsSync(join(one, JOURNAL_FILE)));
  const { runs, unread } = await cache.read(begun);
  const byFolder = new Map(runs.map((run) => [run.folder, run]));
  const facts = new Map<string, RunFacts>();
  const swept = sweep.runs.map((run): SweptRun => {
    const read = byFolder.get(run.folder);
    if (read === undefined) return run;
    facts.set(run.id, read);
    // The journal wins over what was written beside it.
    const results = run.takenFrom === null ? read.results : asTaken(read.results);
    return { ...run, results: isDone(run.standing) ? results : null, failure: run.failure ?? failureOf(read) };
  });
  const own = differencesOf(plan.runs.map(({ config }) => config));
  const differences = Object.fromEntries(plan.runs.map(({ condition }, index) => [condition, own[index]!]));
  const configs = new Map(plan.runs.map(({ id, config }) => [id, config]));
  return { sweep: { ...sweep, runs: swept }, isPlanned: true, runs: facts, configs, unread, differences };
}
