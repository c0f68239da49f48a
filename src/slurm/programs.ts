import { execa } from "execa";
import { ExternalError, UserError } from "../errors.js";
import { codeOf } from "../whole-file.js";

/** Longer than this a cluster's controller is not waited for. */
const PATIENCE_MILLISECONDS = 60_000;

/** Of the shell's Slurm variables what says which cluster it is; the others are of a job that one submits from. */
const KEPT = new Set(["SLURM_CONF", "SLURM_CLUSTERS", "SLURM_CONF_SERVER"]);

export interface Answer {
  readonly ok: boolean;
  readonly output: string;
  /** What it said against it, on one line; empty where it said nothing. */
  readonly words: string;
}

/**
 * Runs one of Slurm's programs, with words and times in one language.
 *
 * @param options with `input`, what it reads
 * @returns null where it is not installed
 */
export async function askSlurm(
  program: string,
  options: readonly string[],
  { input = "", env = process.env }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Answer | null> {
  const result = await execa(program, options, {
    reject: false,
    input,
    timeout: PATIENCE_MILLISECONDS,
    extendEnv: false,
    env: { ...withoutJob(env), LC_ALL: "C" },
  });
  if (codeOf(result) === "ENOENT" || (result.cause !== undefined && codeOf(result.cause) === "ENOENT")) return null;
  const words = (result.timedOut ? "it did not answer" : result.stderr).trim().replaceAll(/\s*\n\s*/g, "; ");
  return { ok: !result.failed, output: result.stdout, words };
}

/** @throws UserError `no_slurm` where it is not installed, ExternalError `slurm_refused` with its words where it fails */
export async function requireSlurm(program: string, options: readonly string[]): Promise<string> {
  const answer = await askSlurm(program, options);
  if (answer === null) throw noSlurm(program);
  if (!answer.ok) throw refused(program, options, answer);
  return answer.output;
}

export function noSlurm(program: string): UserError {
  return new UserError({
    code: "no_slurm",
    message: `\`${program}\` is not installed here, so nothing can be submitted to Slurm`,
    hint: "do it on a login node of the cluster, or leave out `--on slurm` to run it here",
  });
}

/** The user's to change: an account, a limit, a partition that is not there. */
export function refused(program: string, options: readonly string[], { words }: Answer): UserError {
  return new UserError({
    code: "slurm_refused",
    message: `\`${[program, ...options].join(" ")}\` was refused: ${words === "" ? "it gave no reason" : words}`,
    hint: "nothing is queued; change what it names in the `slurm` section of the sweep's file, then do the same again",
  });
}

/** For errors that nobody caused: a cluster that is away in the middle of a run. */
export function failedInTheMiddle(program: string, options: readonly string[], { words }: Answer): ExternalError {
  return new ExternalError({
    code: "slurm_failed",
    message: `\`${[program, ...options].join(" ")}\` failed: ${words === "" ? "it gave no reason" : words}`,
  });
}

function withoutJob(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^SLURMD?_/.test(name) || KEPT.has(name)));
}
