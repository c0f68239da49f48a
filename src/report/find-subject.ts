import { resolve } from "node:path";
import { hasPlan } from "../sweep/plan-file.js";
import type { RunStanding } from "../reading/run-standing.js";
import { findRuns } from "./find-runs.js";
import type { RunCache } from "./run-cache.js";
import { looseRuns } from "./sweeps/loose-runs.js";
import { plannedRuns } from "./sweeps/planned-runs.js";
import type { Subject } from "./contents.js";

/**
 * What a report on these folders is about: the sweep whose plan is in the one that was named, else the runs in them.
 *
 * @throws UserError `no_runs`, and what is wrong with all of them
 */
export async function findSubject(named: readonly string[], cache: RunCache): Promise<Subject> {
  const first = resolve(named[0]!);
  if (named.length === 1 && hasPlan(first)) return { kind: "sweep", facts: await plannedRuns(first, cache) };
  const { runs, unread } = await cache.read(findRuns(named));
  if (runs.length === 1 && unread.length === 0) return { kind: "run", run: runs[0]! };
  return { kind: "sweep", facts: looseRuns(runs, unread, named.length === 1 ? first : process.cwd()) };
}

/**
 * Whether it will change: a run is running, or a planned one is still to be made. Between two runs of a sweep, and in a
 * cluster's queue, none is running.
 */
export function goesOn(subject: Subject): boolean {
  if (subject.kind === "run") return subject.run.status === "running";
  const { sweep, runs, isPlanned } = subject.facts;
  if ([...runs.values()].some(({ status }) => status === "running")) return true;
  return isPlanned && sweep.runs.some(({ standing }) => !ENDED.has(standing));
}

const ENDED: ReadonlySet<RunStanding> = new Set<RunStanding>(["finished", "taken", "failed"]);
