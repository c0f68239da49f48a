import { execFileSync } from "node:child_process";
import { jobOf } from "../claims/holder.js";
import { jobStates, type JobState } from "./job-states.js";
import { askSlurm, failedInTheMiddle } from "./programs.js";

/**
 * What a runner in a Slurm job listens to, all of it meaning the same: end with a checkpoint. Which of them comes, and to
 * whom, differs between versions and clusters: TERM with CONT at a time limit, a preemption, a requeue or a `scancel`,
 * USR1 or USR2 where `--signal` asks for it. None is to be relied on: `timeLeft` is.
 */
export const STOP_SIGNALS = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const;

/** How long an answer of the scheduler serves; towards the end it is asked more often. A limit may be changed meanwhile. */
const ANSWER_SECONDS = 300;
const PATIENCE_MILLISECONDS = 10_000;

let answered: { readonly job: string; readonly at: number; readonly left: number | null } | null = null;

/**
 * Seconds until Slurm ends the job that these variables name.
 *
 * @returns null outside a job, without a time limit, and where it cannot be told
 */
export function timeLeft(env: NodeJS.ProcessEnv): number | null {
  const job = jobName(env);
  if (job === null) return null;
  const known = carriedOn(job);
  if (known !== undefined) return known;
  const left = askFor(job, env);
  // A scheduler that does not answer now has said before how long there is; newer ones told the job when it began.
  if (left === undefined) return answered?.job === job ? leftNow(answered) : leftByVariable(env);
  answered = { job, at: performance.now(), left };
  return left;
}

/**
 * Has this task started again, alone: of an array the task, not all of it. Slurm then ends this process by TERM.
 *
 * @throws ExternalError `slurm_failed` with Slurm's words
 */
export async function requeueSelf(env: NodeJS.ProcessEnv): Promise<void> {
  const job = jobName(env);
  const options = ["requeue", job ?? ""];
  const answer = job === null ? null : await askSlurm("scontrol", options, { env });
  const nowhere = { ok: false, output: "", words: job === null ? "this is no Slurm job" : "it is not installed" };
  if (answer?.ok !== true) throw failedInTheMiddle("scontrol", options, answer ?? nowhere);
}

/**
 * Has this task started again where it was not ended on purpose: when it stops by itself, since its time is nearly up, or
 * was told so by a signal while Slurm still runs it, or at its time limit. A task that was cancelled, or that Slurm
 * requeues itself, is left to it.
 *
 * @param env of a job
 * @param bySignal whether a signal has told it to stop
 * @returns whether it will be started again by this
 * @throws ExternalError `slurm_failed` with Slurm's words
 */
export async function comeBack(env: NodeJS.ProcessEnv, bySignal: boolean): Promise<boolean> {
  const job = jobName(env);
  if (job === null || (bySignal && !isLeftToUs((await jobStates([job])).get(job)))) return false;
  await requeueSelf(env);
  return true;
}

function isLeftToUs(stands: JobState | undefined): boolean {
  return stands?.state === "RUNNING" || (stands?.state === "COMPLETING" && stands.reason === "TimeLimit");
}

/**
 * What `squeue` says of a job's end, as `<end>|<time left>`: seconds since 1970, and `1-02:03:04`, `2:03:04` or `3:04`
 * of its limit. An end may be set before the limit, by a reservation for example; clocks may differ: the sooner one.
 *
 * @param now seconds since 1970
 * @returns seconds; null where there is no limit; undefined for other text
 */
export function secondsLeft(printed: string, now: number): number | null | undefined {
  const [end = "", limit = ""] = printed.trim().split("|");
  const left = secondsOf(limit);
  const untilEnd = /^\d{9,}$/.test(end) ? Number(end) - now : undefined;
  if (untilEnd === undefined) return left;
  return typeof left === "number" ? Math.min(left, untilEnd) : untilEnd;
}

function secondsOf(text: string): number | null | undefined {
  if (text === "UNLIMITED") return null;
  const [, days = "0", clock] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(text) ?? [];
  if (clock === undefined) return undefined;
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + seconds;
}

/** `<array>_<task>`: the id alone, of one task of an array, may be that of all of it. */
function jobName(env: NodeJS.ProcessEnv): string | null {
  const job = jobOf(env);
  return job === null ? null : (job.task ?? job.id);
}

function carriedOn(job: string): number | null | undefined {
  if (answered?.job !== job) return undefined;
  const { at, left } = answered;
  const age = (performance.now() - at) / 1000;
  const serves = left === null ? ANSWER_SECONDS : Math.min(ANSWER_SECONDS, Math.max(left / 4, 15));
  return age < serves ? leftNow(answered) : undefined;
}

function leftNow({ at, left }: { readonly at: number; readonly left: number | null }): number | null {
  return left === null ? null : left - (performance.now() - at) / 1000;
}

function leftByVariable({ SLURM_JOB_END_TIME: end }: NodeJS.ProcessEnv): number | null {
  return end !== undefined && /^\d{9,}$/.test(end) ? Number(end) - Date.now() / 1000 : null;
}

/** Undefined where it does not say. */
function askFor(job: string, env: NodeJS.ProcessEnv): number | null | undefined {
  try {
    const printed = execFileSync("squeue", ["--noheader", `--jobs=${job}`, "--format=%e|%L"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PATIENCE_MILLISECONDS,
      env: { ...env, LC_ALL: "C", SLURM_TIME_FORMAT: "%s" },
    });
    return secondsLeft(printed, Date.now() / 1000);
  } catch {
    return undefined;
  }
}
