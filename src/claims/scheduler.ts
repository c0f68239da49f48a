import { execFileSync } from "node:child_process";
import type { SlurmJob } from "./holder.js";

/** How long an answer serves: a cluster's controller is not to be asked by every look of every process. */
const ANSWER_MILLISECONDS = 10_000;
/** Longer than this it is as good as not there. */
const PATIENCE_MILLISECONDS = 10_000;

/** In these a job's processes may live. */
const LIVING = new Set(["RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"]);

/** What a scheduler tells of a job: whether that life of it is over; null where it cannot be told. */
export type HasEnded = (job: SlurmJob) => boolean | null;

interface Listed {
  readonly state: string;
  readonly restarts: number;
}

let answer: { readonly at: number; readonly jobs: ReadonlyMap<string, Listed> | null } | null = null;
let ownCluster: string | null | undefined;

/**
 * Asks `squeue` for this user's jobs. A job that it does not list is over, since all of them are asked for; one of
 * another cluster that shares the file system is nothing that it knows of.
 */
export const slurmHasEnded: HasEnded = (job) => {
  if (job.cluster === "" || job.cluster !== clusterHere()) return null;
  const now = performance.now();
  if (answer === null || now - answer.at > ANSWER_MILLISECONDS) answer = { at: now, jobs: ownJobs() };
  return answer.jobs === null ? null : lifeIsOver(job, answer.jobs.get(job.id));
};

function lifeIsOver(job: SlurmJob, listed: Listed | undefined): boolean {
  return listed === undefined || !LIVING.has(listed.state) || listed.restarts > job.restarts;
}

/** By `SLURM_JOB_ID`. Null where there is no scheduler, or it does not answer. */
function ownJobs(): ReadonlyMap<string, Listed> | null {
  const user = process.getuid?.();
  if (user === undefined) return null;
  const format = "JobID:24,State:24,RestartCnt:12";
  const printed = ask("squeue", ["--noheader", "--all", `--user=${user}`, "--states=all", `--Format=${format}`]);
  if (printed === null) return null;
  const rows = printed.split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(
    rows.flatMap(([id, state, restarts]) => (state ? [[id!, { state, restarts: Number(restarts) }]] : [])),
  );
}

function clusterHere(): string | null {
  ownCluster ??= /^ClusterName\s*=\s*(\S+)/m.exec(ask("scontrol", ["show", "config"]) ?? "")?.[1];
  return ownCluster ?? null;
}

/** What it prints; null where it is not there, fails, or keeps us waiting. */
function ask(program: string, options: readonly string[]): string | null {
  try {
    return execFileSync(program, options, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PATIENCE_MILLISECONDS,
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch {
    return null;
  }
}
