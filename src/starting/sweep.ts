import { isDone } from "../reading/run-standing.js";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ENVIRONMENT_PREFIX } from "../config/layers/overrides.js";
import { checkPaths } from "../config/checks/paths.js";
import type { RunConfig } from "../config/attached.js";
import { requireFittingWelcome } from "../controller/welcome.js";
import { workerConfig } from "../controller/worker-config.js";
import { UserError } from "../errors.js";
import { requireTemporaryFolder } from "../launch/bootstrap.js";
import { softwareHere } from "../launch/software.js";
import { standardError, standardOutput } from "../output.js";
import { packageVersion } from "../package.js";
import { collectPlan } from "../sweep/collect.js";
import { Contents } from "../sweep/content.js";
import { estimateFromFinished, estimateFromTrial, type Estimate } from "../sweep/estimate.js";
import { readSweep, type SweepRequest as SweepFileRequest } from "../sweep/file.js";
import type { Share } from "../sweep/next-run.js";
import { planOf, type Plan } from "../sweep/plan.js";
import { startRun } from "../sweep/run-process.js";
import { SweepRunner, type SweepEnd, type SweepEvent } from "../sweep/runner.js";
import { slotsOn, thisMachine } from "../sweep/slots.js";
import type { Here } from "../sweep/source-runs.js";
import { hasPlan } from "../sweep/plan-file.js";
import { openSweepFolder, readPlan, runFolderOf } from "../sweep/sweep-folder.js";
import { SweepWatch } from "../sweep/sweep-watch.js";
import type { Sweep } from "../sweep/swept-run.js";
import { requireTrustedConfig } from "../trust/require-trust.js";
import { readResults } from "../runs/finished-run.js";
import { runSweepView, type SweepViewOptions } from "../ui/sweep-app.js";
import { describePlan, sweepEndLine, sweepEventLine } from "../words/sweep.js";
import { describeSweep } from "../words/sweep-status.js";
import { shortPath } from "../words/format.js";
import { wantsView } from "./display-options.js";
import { comeBackLater, listenForStops, timeOf } from "./slurm-task.js";
import { printScripts, submitToSlurm } from "./sweep-on-slurm.js";
import { runSweepTrial, TRIAL_UPDATES } from "./sweep-trial.js";
import { workerProgramOf } from "./worker-program.js";

export interface SweepRequest {
  /** Null: the folder has the plan. */
  readonly file: SweepFileRequest | null;
  /** Null: that of the sweep's name, under `runs`. */
  readonly folder: string | null;
  readonly jobs: number | null;
  readonly share: Share | null;
  /** Whether tasks of a cluster do it, and not this process. */
  readonly on: "slurm" | null;
  readonly tasks: number | null;
  readonly failFast: boolean;
  readonly extend: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** A line an event, also in a terminal. */
  readonly plain: boolean;
  readonly trust: boolean;
}

/**
 * Makes the runs of a sweep that are missing, or prints them. Sets the exit code: 0 where all are done.
 *
 * @throws UserError before anything is started, for all that can be known to be wrong
 */
export async function runSweep(request: SweepRequest): Promise<void> {
  refuseEnvironment(process.env);
  const plan = await chosenPlan(request);
  const folder = request.folder ?? join(process.cwd(), "runs", plan.name);
  await requireRunnable(plan, request);
  if (request.dryRun) {
    await printPlan(plan, folder, request.json);
    if (request.on !== null) await printScripts(plan, folder, request);
    return;
  }
  if (request.on !== null) {
    const makeFolder = (): void => openSweepFolder(folder, plan, packageVersion(), request.extend);
    await submitToSlurm(plan, folder, { ...request, makeFolder });
    return;
  }
  requireTemporaryFolder();
  const slots = slotsOn(await thisMachine(process.env), plan, request.jobs);
  openSweepFolder(folder, plan, packageVersion(), request.extend);
  if (!request.json) {
    const places = slots.length === 1 ? "one run at a time" : `${slots.length} runs at a time`;
    if (plan.leftOut.length > 0)
      standardError.print(`note: conditions leave out inherited settings; \`--dry-run\` says which\n`);
    standardOutput.print(`${plan.name}: ${plan.runs.length} runs in \`${shortPath(folder)}\`, ${places}\n`);
  }
  const { failFast, share } = request;
  let isViewed = wantsView({ ...(request.plain && { plain: true }), ...(request.json && { json: true }) });
  const runner = new SweepRunner({
    folder,
    plan,
    slots,
    share,
    failFast,
    call: process.env["SLURM_ARRAY_JOB_ID"] ?? process.env["THAWLINE_SWEEP_CALL"] ?? randomUUID(),
    startRun,
    here: here(plan),
    onEvent: (event) => (isViewed ? undefined : tell(folder, event, request.json)),
    ...timeOf(process.env),
  });
  const stops = listenForStops(process.env, () => runner.stop());
  const work = runner.work();
  if (isViewed) {
    const why = await viewSweep(folder, { places: slots.length, stop: () => runner.stop(), over: work });
    isViewed = false;
    if (why === "detached") standardOutput.print("the view is closed, the sweep goes on here; Ctrl-C stops it\n");
  }
  const end = await work;
  await tellEnd(plan, folder, end, request.json);
  if (end.why === "time" || end.why === "interrupted") await comeBackLater(stops());
}

async function viewSweep(folder: string, making: NonNullable<SweepViewOptions["making"]>): Promise<string> {
  const watch = new SweepWatch(folder);
  const { stdout, stdin, env } = process;
  try {
    return await runSweepView({ look: (now) => watch.look(now), stdout, stdin, env, making });
  } catch (error) {
    // A view that fails takes no run with it.
    standardError.print(`note: the view has failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return "detached";
  }
}

async function chosenPlan({ file, folder }: SweepRequest): Promise<Plan> {
  return file === null ? readPlan(folder!) : planOf(readSweep(file), new Contents());
}

/** @throws UserError `environment_settings`: a sweep is what its file says, on every machine */
function refuseEnvironment(env: NodeJS.ProcessEnv): void {
  const found = Object.keys(env).find((name) => name.startsWith(ENVIRONMENT_PREFIX));
  if (found === undefined) return;
  throw new UserError({
    code: "environment_settings",
    message: `the environment variable \`${found}\` would be a setting of every run, and a sweep is what its file says`,
    hint: "unset it, and write the setting under `set`",
  });
}

/** What the command line of `run` is checked for, once for each configuration that differs in it. */
async function requireRunnable(plan: Plan, { file, trust }: SweepRequest): Promise<void> {
  const seen = new Set<string>();
  const isNew = (part: unknown): boolean => {
    const before = seen.size;
    return seen.add(JSON.stringify(part)).size > before;
  };
  for (const { id, config } of plan.runs) {
    if (config.script === undefined && isNew([config.data, config.model, config.evaluate])) checkPaths(config);
    if (!trust && isNew(config.model)) {
      requireTrustedConfig(config, { file: file?.path ?? null, cwd: process.cwd(), env: process.env });
    }
    if (isNew(config.script ?? "worker")) await workerProgramOf(config);
    requireFittingWelcome(workerConfig(config), { run: id, runFolder: runFolderOf(process.cwd(), id) });
  }
}

function here(plan: Plan): Here {
  let asked: ReturnType<Here["software"]> | null = null;
  const ask = async (): ReturnType<Here["software"]> => {
    const { command, pythonFolder } = await workerProgramOf(plan.runs[0]!.config);
    return softwareHere(command[0], pythonFolder, process.env);
  };
  return { thawline: packageVersion(), software: () => (asked ??= ask()) };
}

async function printPlan(plan: Plan, folder: string, json: boolean): Promise<void> {
  const sweep = hasPlan(folder) ? await collectPlan(folder, plan) : null;
  const estimate = await estimateOf(plan, sweep);
  if (json) {
    const runs = plan.runs.map(({ id, condition, seed, axes, config }) => ({
      id,
      condition,
      seed,
      axes,
      standing: sweep?.runs.find((run) => run.id === id)?.standing ?? "pending",
      seconds: estimate?.seconds.get(id) ?? null,
      config,
    }));
    standardOutput.print(`${JSON.stringify({ name: plan.name, scale: plan.scale, folder, runs })}\n`);
    return;
  }
  standardOutput.print(`${describePlan(plan, sweep, estimate)}\n`);
}

/** From what has finished; else from a trial, which a script of the user's own is spared. */
async function estimateOf(plan: Plan, sweep: Sweep | null): Promise<Estimate | null> {
  const known = estimateFromFinished(plan.runs, sweep);
  if (known !== null) return known;
  const config: RunConfig = plan.runs[0]!.config;
  if (config.script !== undefined) return null;
  standardError.print(
    `note: the first ${TRIAL_UPDATES} updates of \`${plan.runs[0]!.id}\` are tried in a temporary folder\n`,
  );
  requireTemporaryFolder();
  const trial = await runSweepTrial(config);
  if (trial !== null) return estimateFromTrial(plan.runs, trial, TRIAL_UPDATES);
  process.exitCode = 130;
  return null;
}

function tell(folder: string, event: SweepEvent, json: boolean): void {
  const seconds =
    event.type === "finished" ? (readResults(runFolderOf(folder, event.run.id))?.wall_seconds ?? null) : null;
  if (!json) {
    standardOutput.print(`${sweepEventLine(event, new Date(), seconds)}\n`);
    return;
  }
  const { run, ...rest } = event;
  const from = "from" in event ? { from: event.from.id } : {};
  standardOutput.print(`${JSON.stringify({ at: new Date().toISOString(), ...rest, ...from, run: run.id })}\n`);
}

async function tellEnd(plan: Plan, folder: string, end: SweepEnd, json: boolean): Promise<void> {
  const again = `npx thawline sweep ${shortPath(folder)}`;
  if (!json) {
    standardOutput.print(`\n${describeSweep(await collectPlan(folder, plan))}\n`);
    standardOutput.print(`${sweepEndLine(end, again)}\n`);
  }
  const isWhole = [...end.standings.values()].every(isDone);
  process.exitCode = end.why === "interrupted" || end.why === "time" ? 130 : isWhole ? 0 : 1;
}
