import { fileURLToPath } from "node:url";
import { UserError } from "../errors.js";
import { standardOutput } from "../output.js";
import { jobStates } from "../slurm/job-states.js";
import type { Submission } from "../slurm/script.js";
import { limitsHere, previewOf, submit } from "../slurm/submit.js";
import { submittedJobs } from "../slurm/submitted.js";
import { collectPlan } from "../sweep/collect.js";
import type { Plan } from "../sweep/plan.js";
import { isDone } from "../reading/run-standing.js";
import { hasPlan } from "../sweep/plan-file.js";
import { shortPath } from "../words/format.js";
import type { SweepRequest } from "./sweep.js";

/** A job in these will do something yet. */
const UNENDED = new Set(["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD"]);

type Options = Pick<SweepRequest, "jobs" | "tasks" | "failFast" | "trust" | "json">;

/**
 * Submits tasks that share what is missing, and returns.
 *
 * @param options with `makeFolder`, which makes or opens the sweep's folder
 * @throws UserError `already_submitted` while an earlier submission has tasks that have not ended; see `submit` for the rest
 */
export async function submitToSlurm(
  plan: Plan,
  folder: string,
  { makeFolder, ...options }: Options & { readonly makeFolder: () => void },
): Promise<void> {
  // Where there is no Slurm, nothing is made.
  await limitsHere();
  makeFolder();
  await refuseSecond(folder);
  const missing = await numMissing(plan, folder);
  if (missing === 0) {
    standardOutput.print(
      options.json ? `${JSON.stringify({ submitted: [] })}\n` : "nothing is missing: all runs are done\n",
    );
    return;
  }
  const submission = submissionOf(plan, folder, missing, options);
  const { jobIds } = await submit(submission);
  if (options.json) {
    standardOutput.print(`${JSON.stringify({ submitted: jobIds, tasks: submission.tasks, folder })}\n`);
    return;
  }
  const { tasks } = submission;
  const jobs = `${jobIds.length === 1 ? "job" : "jobs"} ${jobIds.join(", ")}`;
  const share = `${tasks} ${tasks === 1 ? "task" : "tasks"} for ${missing} ${missing === 1 ? "run" : "runs"}`;
  standardOutput.print(
    `submitted ${jobs}: ${share}\n` +
      `\`npx thawline sweep status ${shortPath(folder)}\` tells how far they are; their output is in \`${shortPath(folder)}/slurm\`\n`,
  );
}

/** What would be submitted, for `--dry-run`. */
export async function printScripts(plan: Plan, folder: string, options: Options): Promise<void> {
  if (options.json) return;
  const missing = await numMissing(plan, folder);
  if (missing > 0) standardOutput.print(`\n${await previewOf(submissionOf(plan, folder, missing, options))}`);
}

function submissionOf(plan: Plan, folder: string, missing: number, options: Options): Submission {
  const { jobs, tasks, failFast, trust } = options;
  const settings = plan.slurm ?? { setup: [], extra: [], export: [] };
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const flags = [
    ...(jobs === null ? [] : ["--jobs", String(jobs)]),
    ...(failFast ? ["--fail-fast"] : []),
    ...(trust ? ["--trust"] : []),
  ];
  // A task does one run after another: more of them than may run at a time would find nothing left.
  const atMost = Math.min(missing, settings.array_parallelism ?? missing);
  const command = [process.execPath, cli, "sweep", folder, ...flags];
  return { folder, tasks: tasks ?? atMost, settings, command };
}

async function numMissing(plan: Plan, folder: string): Promise<number> {
  if (!hasPlan(folder)) return plan.runs.length;
  const { runs } = await collectPlan(folder, plan);
  return runs.filter(({ standing }) => !isDone(standing)).length;
}

/** Claims would keep two submissions apart, but the second one would wait for nothing. */
async function refuseSecond(folder: string): Promise<void> {
  const earlier = submittedJobs(folder);
  const states = await jobStates(earlier);
  const isUnended = (id: string): boolean =>
    [...states].some(([task, { state }]) => task.split("_")[0] === id && UNENDED.has(state));
  const unended = earlier.filter(isUnended);
  if (unended.length === 0) return;
  throw new UserError({
    code: "already_submitted",
    message: `${unended.length === 1 ? "job" : "jobs"} ${unended.join(", ")} of this sweep ${unended.length === 1 ? "has" : "have"} not ended yet`,
    hint: `wait for them, or end them with \`scancel ${unended.join(" ")}\`, then do the same again`,
  });
}
