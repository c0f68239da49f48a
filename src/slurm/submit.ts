import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExternalError } from "../errors.js";
import { createFile, PRIVATE_FILE, PRIVATE_FOLDER, refusedByDisk } from "../whole-file.js";
import { chunksOf, DEFAULT_LIMITS, limitsOf, type ArrayLimits, type Chunk } from "./chunks.js";
import { askSlurm, noSlurm, refused, requireSlurm } from "./programs.js";
import { composeScript, type Submission } from "./script.js";
import { SLURM_FOLDER } from "./submitted.js";

export interface Submitted {
  /** Of the job arrays: their tasks are `<id>_<index>`. */
  readonly jobIds: readonly string[];
  /** What was submitted, one script after another. */
  readonly script: string;
}

/**
 * Submits a sweep's tasks and returns at once. All of them or none: where a later array is refused, the earlier ones are
 * cancelled. The scripts stay in the sweep's folder, named by their job ids.
 *
 * @throws UserError `no_slurm`, `no_job_arrays`, `slurm_folder`, `unwritable_file`; `slurm_refused` with Slurm's words
 */
export async function submit(submission: Submission): Promise<Submitted> {
  const limits = await limitsHere();
  const scripts = scriptsFor(submission, limits);
  const folder = join(submission.folder, SLURM_FOLDER);
  makeFolder(folder);
  const jobIds: string[] = [];
  try {
    for (const { text, chunk } of scripts) {
      const id = await sbatch(text, chunk.waits ? (jobIds.at(-1) ?? null) : null);
      jobIds.push(id);
      createFile(join(folder, `${id}.sbatch`), text, PRIVATE_FILE);
    }
  } catch (error) {
    if (jobIds.length > 0) await askSlurm("scancel", jobIds);
    for (const id of jobIds) rmSync(join(folder, `${id}.sbatch`), { force: true });
    removeIfEmpty(folder);
    throw error;
  }
  return { jobIds, script: joined(scripts) };
}

/**
 * What the cluster allows: there is one, then.
 *
 * @throws UserError `no_slurm`, `slurm_refused`
 */
export async function limitsHere(): Promise<ArrayLimits> {
  return limitsOf(await requireSlurm("scontrol", ["show", "config"]));
}

/**
 * What `submit` would submit, for `--dry-run`. Where there is no Slurm to ask, by the limits that it has by default.
 *
 * @throws UserError `no_job_arrays`, `slurm_folder`
 */
export async function previewOf(submission: Submission): Promise<string> {
  const answer = await askSlurm("scontrol", ["show", "config"]);
  return joined(scriptsFor(submission, answer?.ok === true ? limitsOf(answer.output) : DEFAULT_LIMITS));
}

interface Script {
  readonly text: string;
  readonly chunk: Chunk;
}

function scriptsFor(submission: Submission, limits: ArrayLimits): Script[] {
  const { tasks, settings } = submission;
  const chunks = chunksOf(tasks, settings.array_parallelism ?? null, limits);
  return chunks.map((chunk) => ({ text: composeScript(submission, chunk), chunk }));
}

function joined(scripts: readonly Script[]): string {
  return scripts.map(({ text }) => text).join("\n");
}

/** @returns the job's id */
async function sbatch(text: string, after: string | null): Promise<string> {
  const options = ["--parsable", ...(after === null ? [] : [`--dependency=afterany:${after}`])];
  const answer = await askSlurm("sbatch", options, { input: text });
  if (answer === null) throw noSlurm("sbatch");
  if (!answer.ok) throw refused("sbatch", options, answer);
  // `<id>`, or `<id>;<cluster>`.
  const id = /^(\d+)(?:;.*)?$/m.exec(answer.output)?.[1];
  if (id !== undefined) return id;
  throw new ExternalError({
    code: "slurm_failed",
    message: "`sbatch` named no job",
    output: answer.output,
    hint: "`squeue` says whether one was queued",
  });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw refusedByDisk(`\`${folder}\``, error);
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There are scripts and outputs of earlier jobs in it.
  }
}
