import { standardError } from "../output.js";
import { comeBack, STOP_SIGNALS, timeLeft } from "../slurm/this-job.js";

/** What checkpoints and an orderly end may take. */
const STOP_SECONDS = 120;

/**
 * Until when a sweep may work, where it is a task of Slurm's: some time before the end, and of a short task no more than
 * a quarter of its time, so that each of its lives gets further.
 */
export function timeOf(env: NodeJS.ProcessEnv): {
  readonly secondsLeft?: () => number | null;
  readonly stopSeconds?: number;
} {
  if (!isTask(env)) return {};
  const left = timeLeft(env);
  const stopSeconds = left === null ? STOP_SECONDS : Math.min(STOP_SECONDS, left / 4);
  return { secondsLeft: () => timeLeft(env), stopSeconds };
}

/**
 * Listens to whatever means stop. Ctrl-C may be given again to hurry; what Slurm sends counts once, however many signals
 * it is, since it sends them in pairs and to all processes. CONT means something in a Slurm job only.
 *
 * @returns whether a signal has come
 */
export function listenForStops(env: NodeJS.ProcessEnv, stop: () => void): () => boolean {
  const fromSlurm: ReadonlySet<NodeJS.Signals> = new Set(isTask(env) ? STOP_SIGNALS : []);
  let signalled = false;
  let told = false;
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const) {
    if (signal === "SIGCONT" && !fromSlurm.has(signal)) continue;
    process.on(signal, () => {
      signalled = true;
      if (fromSlurm.has(signal) && told) return;
      if (fromSlurm.has(signal)) told = true;
      stop();
    });
  }
  return () => signalled;
}

/** Has a task that stopped before all was done started again, unless it was cancelled. */
export async function comeBackLater(bySignal: boolean): Promise<void> {
  if (!(await comeBack(process.env, bySignal))) return;
  standardError.print("note: Slurm starts this task again, which then goes on from these checkpoints\n");
}

function isTask(env: NodeJS.ProcessEnv): boolean {
  return env["SLURM_JOB_ID"] !== undefined;
}
