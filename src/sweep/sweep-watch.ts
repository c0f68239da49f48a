import { statSync } from "node:fs";
import { join } from "node:path";
import type { JournalRecord } from "../journal/format.js";
import { Glance } from "../journal/glance.js";
import { comparedBy, namedScores } from "../reading/named-scores.js";
import { withTimeLeft } from "../reading/time-left.js";
import { readResults } from "../runs/finished-run.js";
import { RESULTS_FILE } from "../runs/outcome.js";
import type { Plan, PlannedRun } from "./plan.js";
import { standingOf } from "./standing.js";
import { isDone } from "../reading/run-standing.js";
import { JobWatch } from "../slurm/job-watch.js";
import { PLAN_FILE } from "./plan-file.js";
import { FAILURE, notesFolderOf, readPlan, runFolderOf, TAKEN } from "./sweep-folder.js";
import type { RunStanding } from "../reading/run-standing.js";
import type { TimedRun, WatchedSweep } from "./watched-sweep.js";

/** So often all runs that are not done are looked at, whatever their notes say: somebody may have resumed one by itself. */
const EVERY_LOOK = 15;

/** What is passed over in a journal, but for these. */
const WORDS = [`"run/created"`, `"controller/started"`, `"worker/prepared"`, `"interval/decided"`];

interface Seen {
  run: TimedRun;
  /** Of the folder with the sweepers' notes: whoever takes the run up, or gives it up, changes it. */
  notesAt: number | null;
  endedAt: number | null;
  readonly glance: Glance;
}

/**
 * Reads a sweep's folder again and again for those who look at it. Cheap however many runs there are: of one that is done
 * nothing is read any more, one that nobody has taken up costs a question for the time of a folder, and of one at
 * work what its journal has got since.
 */
export class SweepWatch {
  private plan: Plan;
  private planAt: number | null;
  private readonly seen = new Map<string, Seen>();
  private numLooks = 0;
  /** Runs whose files were read in the last look. */
  numRead = 0;

  private readonly jobs: JobWatch;

  /** @throws UserError `not_a_sweep`, `damaged_sweep` */
  constructor(private readonly folder: string) {
    this.jobs = new JobWatch(folder);
    this.planAt = modifiedAt(join(folder, PLAN_FILE));
    this.plan = readPlan(folder);
  }

  /** Waits for what the scheduler says; without it, looks show that once it is there. */
  async askScheduler(now: number): Promise<void> {
    await this.jobs.ask(now);
  }

  /** @param now milliseconds since 1970 */
  async look(now: number): Promise<WatchedSweep> {
    this.readPlanAgain();
    const everything = this.numLooks % EVERY_LOOK === 0;
    this.numLooks += 1;
    this.numRead = 0;
    for (const run of this.plan.runs) await this.lookAt(run, everything);
    return this.picture(now);
  }

  /** Another sweeper may have let runs join. */
  private readPlanAgain(): void {
    const planAt = modifiedAt(join(this.folder, PLAN_FILE));
    if (planAt === this.planAt || planAt === null) return;
    this.planAt = planAt;
    this.plan = readPlan(this.folder);
  }

  private async lookAt(run: PlannedRun, everything: boolean): Promise<void> {
    const seen = this.seen.get(run.id) ?? unseen(this.folder, run);
    this.seen.set(run.id, seen);
    const { standing } = seen.run;
    if (isDone(standing)) return;
    // Before the run is looked at: what changes meanwhile is seen the next time.
    const notesAt = modifiedAt(notesFolderOf(this.folder, run.id));
    if (standing !== "running" && notesAt === seen.notesAt && !everything) return;
    this.numRead += 1;
    seen.notesAt = notesAt;
    const found = await standingOf(this.folder, run);
    seen.run = isDone(found) ? this.done(seen, run, found) : await this.underWay(seen, run, found);
  }

  private done(seen: Seen, { id }: PlannedRun, standing: RunStanding): TimedRun {
    const takenFrom = standing === "taken" ? (TAKEN.read(this.folder, id)?.from ?? null) : null;
    const folder = runFolderOf(this.folder, takenFrom ?? id);
    const results = readResults(folder);
    const seconds = results?.wall_seconds ?? null;
    seen.endedAt = modifiedAt(join(folder, RESULTS_FILE));
    return {
      ...seen.run,
      folder,
      standing,
      takenFrom,
      failure: null,
      k:
        results?.k == null ? null : { value: results.k.value, source: takenFrom === null ? results.k.source : "fixed" },
      scores: results === null ? null : namedScores(results),
      step: results?.updates ?? null,
      of: results?.updates ?? null,
      phase: null,
      seconds,
      beganAt: seen.endedAt === null || seconds === null ? null : seen.endedAt - 1000 * seconds,
    };
  }

  private async underWay(seen: Seen, { id }: PlannedRun, standing: RunStanding): Promise<TimedRun> {
    const failure = standing === "failed" ? (FAILURE.read(this.folder, id)?.message ?? null) : null;
    const records = standing === "pending" ? [] : await seen.glance.take();
    const last = records.at(-1);
    if (last !== undefined) seen.endedAt = Date.parse(last.at);
    const heard = records.reduce(hear, seen.run);
    return { ...heard, standing, failure, phase: standing === "running" ? heard.phase : null };
  }

  private picture(now: number): WatchedSweep {
    const seen = this.plan.runs.map(({ id }) => this.seen.get(id)!);
    const runs = seen.map(({ run }) => run);
    const { name, scale, conditions, evaluateOn } = this.plan;
    const first = runs.find(({ scores }) => scores !== null)?.scores ?? null;
    const began = runs.flatMap(({ beganAt, takenFrom }) => (beganAt === null || takenFrom !== null ? [] : [beganAt]));
    const ended = seen.flatMap(({ endedAt }) => endedAt ?? []);
    return {
      name,
      scale,
      folder: this.folder,
      conditions,
      score: evaluateOn ?? (first === null ? null : comparedBy(first)),
      runs: withTimeLeft(runs, now),
      beganAt: began.length === 0 ? null : Math.min(...began),
      lastAt: ended.length === 0 ? null : Math.max(...ended),
      jobs: this.jobs.known(now),
    };
  }
}

function unseen(folder: string, { id, condition, seed, axes }: PlannedRun): Seen {
  const own = runFolderOf(folder, id);
  const run: TimedRun = {
    id,
    condition,
    seed,
    axes,
    folder: own,
    standing: "pending",
    takenFrom: null,
    failure: null,
    k: null,
    scores: null,
    step: null,
    of: null,
    phase: null,
    seconds: null,
    beganAt: null,
    resumed: false,
  };
  return { run, notesAt: null, endedAt: null, glance: new Glance(own, WORDS) };
}

/** The run after a record of its journal. */
function hear(run: TimedRun, { at, event, decisions = [] }: JournalRecord): TimedRun {
  const decided = decisions.findLast((decision) => decision.type === "interval/decided");
  const k = decided === undefined ? run.k : { value: decided.k, source: decided.source };
  switch (event.type) {
    case "run/created":
      return { ...run, k, beganAt: Date.parse(at) };
    case "controller/started":
      return { ...run, k, resumed: event.term > 1 };
    case "worker/prepared":
      return { ...run, k, of: event.body.num_updates, phase: "train" };
    case "worker/progressed":
      return { ...run, k, step: Math.max(run.step ?? 0, event.body.step), phase: event.body.phase };
    case "worker/reachedBoundary":
      return { ...run, k, step: Math.max(run.step ?? 0, event.body.update - 1), phase: "train" };
    default:
      return k === run.k ? run : { ...run, k };
  }
}

/** Milliseconds since 1970; null where there is no such file, or it cannot be looked at. */
function modifiedAt(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  } catch {
    return null;
  }
}
