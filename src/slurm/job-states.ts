import { askSlurm } from "./programs.js";

export interface JobState {
  /** `RUNNING`, `PENDING`, `TIMEOUT` and so on, as Slurm names it. */
  readonly state: string;
  /** Why it waits, or did not go well; null where nothing is said. */
  readonly reason: string | null;
}

/**
 * What the scheduler says of jobs: `squeue` of those that are queued or were a moment ago, `sacct` of older ones. Either
 * may be missing, or keep no memory.
 *
 * @param ids of arrays or of single jobs
 * @returns by `<array>_<task>`, or by the id of a job that is no array; without those of which nothing is known
 */
export async function jobStates(ids: readonly string[]): Promise<ReadonlyMap<string, JobState>> {
  if (ids.length === 0) return new Map();
  const list = ids.join(",");
  const queue = await askSlurm("squeue", ["--noheader", "--all", "--array", "--states=all", `--jobs=${list}`, QUEUE]);
  // A single job that it has forgotten is an error to it.
  const queued = statesOf(queue?.output ?? "");
  const told = new Set([...queued.keys()].map(arrayOf));
  // Of an array that is still queued, tasks that ended long ago may be forgotten all the same.
  const accounts = await askSlurm("sacct", ["--noheader", "--parsable2", "--allocations", `--jobs=${list}`, ACCOUNTS]);
  const older = accounts?.ok === true ? statesOf(accounts.output) : new Map<string, JobState>();
  const isNews = ([id]: readonly [string, JobState]): boolean => !queued.has(id) && (isTask(id) || !told.has(id));
  return new Map([...[...older].filter(isNews), ...queued]);
}

const QUEUE = "--format=%i|%T|%r";
const ACCOUNTS = "--format=JobID,State,Reason";

/** Lines `id|state|reason`; a task that waits may stand for many as `7_[3-9]`, and is nobody's state. */
function statesOf(printed: string): Map<string, JobState> {
  const rows = printed.split("\n").flatMap((line): [string, JobState][] => {
    const [id, state, reason] = line.trim().split("|");
    if (id === undefined || !/^\d+(?:_\d+)?$/.test(id) || !state) return [];
    const said = reason === undefined || reason === "" || /^none$/i.test(reason) ? null : reason;
    // `CANCELLED by 1000`
    return [[id, { state: state.split(" ")[0]!, reason: said }]];
  });
  return new Map(rows);
}

function arrayOf(id: string): string {
  return id.split("_")[0]!;
}

function isTask(id: string): boolean {
  return id.includes("_");
}
