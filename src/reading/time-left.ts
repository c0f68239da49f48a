import type { TimedRun, WatchedRun } from "../sweep/watched-sweep.js";

/** Of an update or two nobody can tell how long a run takes. */
const LEAST_SHARE = 0.05;

/**
 * How long each run still takes: as long as the finished ones of its condition did (of all where there is none), less what
 * it has done; where none has finished, by its own pace so far. A run that goes on after a pause has no pace.
 */
export function withTimeLeft(runs: readonly TimedRun[], now: number): WatchedRun[] {
  const trained = runs.filter(({ standing, seconds }) => standing === "finished" && seconds !== null);
  const mean = (of: readonly TimedRun[]): number | null =>
    of.length === 0 ? null : of.reduce((sum, { seconds }) => sum + seconds!, 0) / of.length;
  const all = mean(trained);
  const byCondition = new Map(
    [...new Set(runs.map(({ condition }) => condition))].map((condition) => [
      condition,
      mean(trained.filter((run) => run.condition === condition)) ?? all,
    ]),
  );
  return runs.map(({ beganAt, resumed, ...run }) => {
    const { standing, step, of } = run;
    const share = step === null || of === null || of === 0 ? 0 : Math.min(1, step / of);
    const whole = byCondition.get(run.condition) ?? null;
    const isToCome = standing === "running" || standing === "interrupted" || standing === "pending";
    if (!isToCome) return { ...run, secondsLeft: null };
    if (whole !== null) return { ...run, secondsLeft: whole * (1 - share) };
    const isPaced = standing === "running" && !resumed && beganAt !== null && share >= LEAST_SHARE;
    return { ...run, secondsLeft: isPaced ? ((now - beganAt) / 1000 / share) * (1 - share) : null };
  });
}

/**
 * Seconds until the sweep is complete with so many runs at a time, without those that failed; null where nothing tells.
 * No sooner than the last of those at work.
 */
export function secondsLeftOf(runs: readonly WatchedRun[], places: number): number | null {
  const toCome = runs.filter(({ standing }) => ["running", "interrupted", "pending"].includes(standing));
  if (toCome.some(({ secondsLeft }) => secondsLeft === null)) return null;
  const seconds = toCome.map(({ secondsLeft }) => secondsLeft!);
  return Math.max(0, ...seconds, seconds.reduce((sum, one) => sum + one, 0) / Math.max(1, places));
}
