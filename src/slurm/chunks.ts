import { UserError } from "../errors.js";

/** What a cluster allows in one job array. */
export interface ArrayLimits {
  /** `MaxArraySize`: an index has to be below it; 0 where there are no arrays. */
  readonly maxArraySize: number;
  /** Tasks of one array; null where only `maxArraySize` limits them. */
  readonly maxTasks: number | null;
}

/** Slurm's own, for a look at the script where there is no cluster to ask. */
export const DEFAULT_LIMITS: ArrayLimits = { maxArraySize: 1001, maxTasks: null };

/** One job array. Its indices begin at 0, since it is the index that a cluster limits. */
export interface Chunk {
  /** Number of the first task within the sweep's, from 0. */
  readonly offset: number;
  readonly size: number;
  /** Tasks that run at a time; null: as many as the cluster lets run. */
  readonly parallelism: number | null;
  /** Whether it waits for the array before it: where fewer tasks may run at a time than there are arrays. */
  readonly waits: boolean;
}

/**
 * The limits that `scontrol show config` prints.
 *
 * @returns Slurm's defaults for what is not there
 */
export function limitsOf(printed: string): ArrayLimits {
  const number = (pattern: RegExp): number | null => {
    const found = pattern.exec(printed)?.[1];
    return found === undefined ? null : Number(found);
  };
  const jobs = number(/^MaxJobCount\s*=\s*(\d+)/m);
  const tasks = number(/^SchedulerParameters\s*=.*\bmax_array_tasks=(\d+)/m);
  const most = [jobs, tasks].filter((limit) => limit !== null && limit > 0);
  return {
    maxArraySize: number(/^MaxArraySize\s*=\s*(\d+)/m) ?? DEFAULT_LIMITS.maxArraySize,
    maxTasks: most.length === 0 ? null : Math.min(...most.map(Number)),
  };
}

/**
 * Divides a sweep's tasks, and how many of them run at a time, among as few arrays as the cluster allows.
 *
 * @throws UserError `no_job_arrays`
 */
export function chunksOf(tasks: number, parallelism: number | null, limits: ArrayLimits): Chunk[] {
  const largest = Math.min(limits.maxArraySize, limits.maxTasks ?? Infinity);
  if (largest < 1) {
    throw new UserError({
      code: "no_job_arrays",
      message: "this cluster allows no job arrays (its `MaxArraySize` is 0)",
      hint: "start tasks by hand: each is `npx thawline sweep DIR --only I/N`",
    });
  }
  const count = Math.ceil(tasks / largest);
  const share = (total: number, index: number): number => Math.floor(total / count) + (index < total % count ? 1 : 0);
  const waits = parallelism !== null && parallelism < count;
  let offset = 0;
  return Array.from({ length: count }, (_, index) => {
    const size = share(tasks, index);
    const atATime = parallelism === null || waits ? parallelism : share(parallelism, index);
    const chunk = { offset, size, parallelism: atATime, waits: waits && index > 0 };
    offset += size;
    return chunk;
  });
}
