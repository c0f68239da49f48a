import type { WatchedRun, WatchedSweep } from "../sweep/watched-sweep.js";
import { singleLine } from "../printable.js";
import { describeJobs } from "./slurm-jobs.js";
import { formatNamedScore, nameOfRun } from "./sweep.js";

/** `sweep     14 of 60 done, 2 running, 1 failed` */
export function describeListedSweep({ runs, scale, jobs }: WatchedSweep): string {
  const count = (...which: WatchedRun["standing"][]): number =>
    runs.filter(({ standing }) => which.includes(standing)).length;
  const parts = [`${count("finished", "taken")} of ${runs.length} done`];
  for (const which of ["running", "failed", "interrupted"] as const) {
    if (count(which) > 0) parts.push(`${count(which)} ${which}`);
  }
  const made = scale === null ? "" : `  (scale \`${scale}\`)`;
  return [`sweep     ${parts.join(", ")}${made}`, ...describeJobs(jobs)].join("; ");
}

/** `standard seed 0                    finished    k 57 (online)  ood/mean 51.20 %` */
export function describeListedRun(run: WatchedRun, { score }: WatchedSweep): string {
  const value = score === null ? null : (run.scores?.[score] ?? null);
  const k = run.k === null ? "k -" : `k ${run.k.value} (${run.k.source})`;
  const result = value === null ? "" : `${score} ${formatNamedScore(score!, value)}`;
  const failure = run.failure === null ? "" : singleLine(run.failure);
  const line = `${nameOfRun(run).padEnd(44)} ${run.standing.padEnd(12)} ${k.padEnd(16)} ${result}${failure}`;
  return line.trimEnd();
}
