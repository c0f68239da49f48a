import type { PlannedRun } from "./plan.js";
import type { Sweep } from "./swept-run.js";

/** What one run takes, as far as it can be told before it is made. */
export interface Estimate {
  /** By run id. */
  readonly seconds: ReadonlyMap<string, number>;
  /** What that was read from, in words. */
  readonly from: string;
}

/** From finished runs of the same sweep: of the same condition where there is one. Null where none has finished. */
export function estimateFromFinished(runs: readonly PlannedRun[], sweep: Sweep | null): Estimate | null {
  const finished = sweep?.runs.filter(({ standing }) => standing === "finished") ?? [];
  if (finished.length === 0) return null;
  const mean = (of: typeof finished): number | null => {
    const seconds = of.flatMap(({ results }) => (results === null ? [] : [results.wall_seconds]));
    return seconds.length === 0 ? null : seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
  };
  const all = mean(finished) ?? 0;
  const byCondition = new Map(
    runs.map(({ condition }) => [condition, mean(finished.filter((run) => run.condition === condition)) ?? all]),
  );
  return {
    seconds: new Map(runs.map(({ id, condition }) => [id, byCondition.get(condition)!])),
    from: `by ${finished.length} of its runs that have finished`,
  };
}

/** From a trial of the first run: the others are taken to be as fast an update, and as long to evaluate. */
export function estimateFromTrial(
  runs: readonly PlannedRun[],
  trial: {
    readonly secondsPerUpdate: number;
    readonly secondsBeside: number;
    readonly epochUpdates: number | null;
  },
  updates: number,
): Estimate {
  const lengthOf = ({ config }: PlannedRun): number => {
    const { train } = config;
    return train?.updates ?? (train?.epochs ?? 0) * (trial.epochUpdates ?? 0);
  };
  return {
    seconds: new Map(runs.map((run) => [run.id, trial.secondsBeside + lengthOf(run) * trial.secondsPerUpdate])),
    from: `by a trial of ${updates} updates without signals, which was made now and has left nothing`,
  };
}
