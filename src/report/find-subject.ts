import { resolve } from "node:path";
import { UserError } from "../errors.js";
import { hasPlan } from "../sweep/plan-file.js";
import type { RunStanding } from "../reading/run-standing.js";
import { findRuns } from "./find-runs.js";
import type { RunCache } from "./run-cache.js";
import { looseRuns } from "./sweeps/loose-runs.js";
import type { SweepFacts } from "./sweeps/sweep-facts.js";
import type { Subject } from "./contents.js";

/**
 * What a report on these folders is about: the sweeps whose plans are in those that were named, else the runs in them.
 *
 * @throws UserError `no_runs`, `sweeps_and_runs`, and what is wrong with all of them
 */
export async function findSubject(named: readonly string[], cache: RunCache): Promise<Subject> {
  const sweeps = named.filter((folder) => hasPlan(resolve(folder)));
  const first = resolve(named[0]!);
  if (sweeps.length > 0) {
    requireSweeps(named, sweeps);
    // A plan is checked as a sweep's file is, by all that knows configurations; runs by themselves need none of it.
    const { plannedRuns } = await import("./sweeps/planned-runs.js");
    const planned: SweepFacts[] = [];
    for (const folder of new Set(sweeps.map((one) => resolve(one)))) planned.push(await plannedRuns(folder, cache));
    return planned.length === 1 ? { kind: "sweep", facts: planned[0]! } : { kind: "sweeps", sweeps: planned };
  }
  const { runs, unread } = await cache.read(findRuns(named));
  if (runs.length === 1 && unread.length === 0) return { kind: "run", run: runs[0]! };
  return { kind: "sweep", facts: looseRuns(runs, unread, named.length === 1 ? first : process.cwd()) };
}

/** Runs of different plans say nothing side by side: which of them share a seed, or a baseline, nobody has said. */
function requireSweeps(named: readonly string[], sweeps: readonly string[]): void {
  const other = named.find((folder) => !sweeps.includes(folder));
  if (other === undefined) return;
  throw new UserError({
    code: "sweeps_and_runs",
    message: `\`${sweeps[0]!}\` is a sweep and \`${other}\` is none`,
    hint: "name sweeps, or the folders of runs, in one report",
  });
}

/**
 * Whether it will change: a run is running, or a planned one is still to be made. Between two runs of a sweep, and in a
 * cluster's queue, none is running.
 */
export function goesOn(subject: Subject): boolean {
  if (subject.kind === "run") return subject.run.status === "running";
  return sweepsOf(subject).some(sweepGoesOn);
}

/** The sweeps of a report; of one run none. */
export function sweepsOf(subject: Subject): readonly SweepFacts[] {
  if (subject.kind === "run") return [];
  return subject.kind === "sweep" ? [subject.facts] : subject.sweeps;
}

function sweepGoesOn({ sweep, runs, isPlanned }: SweepFacts): boolean {
  if ([...runs.values()].some(({ status }) => status === "running")) return true;
  return isPlanned && sweep.runs.some(({ standing }) => !ENDED.has(standing));
}

const ENDED: ReadonlySet<RunStanding> = new Set<RunStanding>(["finished", "taken", "failed"]);
