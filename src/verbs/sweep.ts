import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { UserError } from "../errors.js";
import { standardOutput } from "../output.js";
import { collectSweep } from "../sweep/collect.js";
import type { Share } from "../sweep/next-run.js";
import { hasPlan } from "../sweep/plan-file.js";
import type { SweepRequest } from "../starting/sweep.js";
import { jobStates } from "../slurm/job-states.js";
import { submittedJobs } from "../slurm/submitted.js";
import { describeJobs } from "../words/slurm-jobs.js";
import { describeSweep } from "../words/sweep-status.js";

interface SweepFlags {
  readonly scale?: string;
  readonly base?: string;
  readonly dir?: string;
  readonly jobs?: number;
  readonly only?: Share;
  readonly on?: "slurm";
  readonly tasks?: number;
  readonly failFast?: true;
  readonly extend?: true;
  readonly dryRun?: true;
  readonly json?: true;
  readonly plain?: true;
  readonly trust?: true;
}

export function register(program: Command): void {
  const sweep = program
    .command("sweep")
    .description("Make a set of runs: conditions, axes and seeds; call it again to finish what is missing")
    .helpCommand(false);
  sweep
    .command("run", { isDefault: true })
    .description("Begin a sweep, or go on with it (`thawline sweep FILE` does the same)")
    .argument(
      "<sweep>",
      "name of a sweep that comes with thawline, a sweep's YAML file, or the folder of one that was begun",
    )
    .argument("[key=value...]", "settings of every run; `key=a,b,c` is an axis, `seed=0,1` are the seeds")
    .option("--scale <name>", "one of the file's smaller forms")
    .option("--base <preset or file>", "begin with this in the place of the file's own base")
    .option("--dir <folder>", "folder of the sweep (default: runs/<name>)")
    .option("--jobs <n>", "runs at a time (default: as many as the cores or the GPUs take)", wholeNumber)
    .option("--only <i/n>", "work as task i of n that share the sweep: its own share first, then what is left", share)
    .addOption(
      new Option("--on <engine>", "submit tasks that share the sweep, and return at once")
        .choices(["slurm"])
        .conflicts(["only"]),
    )
    .option("--tasks <n>", "with `--on`: how many tasks (default: a task for each run that is missing)", wholeNumber)
    .option("--fail-fast", "stop at the first run that fails")
    .option("--extend", "let runs join the sweep in this folder that it does not have yet")
    .option("--dry-run", "print the runs, their number and about how long they take, and begin none")
    .option("--plain", "one line an event, also in a terminal")
    .option("--json", "print one JSON object an event")
    .option("--trust", "run the model that a file names by import path, wherever the file and the model come from")
    .action(async (source: string, overrides: string[], flags: SweepFlags) => {
      const { runSweep } = await import("../starting/sweep.js");
      await runSweep(requestOf(source, overrides, flags));
    });
  sweep
    .command("status")
    .description("Print how far a sweep is, and its scores: mean, spread, and gain over the baseline")
    .argument("<folder>", "the folder of a sweep")
    .option("--json", "print one JSON object")
    .action(async (folder: string, flags: { readonly json?: true }) => {
      const found = await collectSweep(resolve(folder));
      const jobs = submittedJobs(resolve(folder));
      const slurm = Object.fromEntries(await jobStates(jobs));
      const text = [describeSweep(found), ...describeJobs(slurm)].join("\n");
      const whole = jobs.length === 0 ? found : { ...found, slurm };
      standardOutput.print(`${flags.json ? JSON.stringify(whole) : text}\n`);
    });
  sweep
    .command("new")
    .description("Print a commented sweep to begin with, made from a preset or a configuration")
    .argument("<preset or file>", "what every run begins with")
    .action(async (source: string) => {
      const { starterOf } = await import("../sweep/starter.js");
      standardOutput.print(starterOf(source, process.cwd()));
    });
}

function requestOf(source: string, overrides: readonly string[], flags: SweepFlags): SweepRequest {
  const cwd = process.cwd();
  const { scale = null, base = null, dir, jobs = null, only = null } = flags;
  const common = {
    jobs,
    share: only,
    on: flags.on ?? null,
    tasks: flags.tasks ?? null,
    failFast: flags.failFast ?? false,
    extend: flags.extend ?? false,
    dryRun: flags.dryRun ?? false,
    json: flags.json ?? false,
    plain: flags.plain ?? false,
    trust: flags.trust ?? false,
  };
  const path = resolve(cwd, source);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && !hasPlan(path)) {
    return {
      ...common,
      file: { path: source, cwd, overrides, scale, base },
      folder: dir === undefined ? null : resolve(cwd, dir),
    };
  }
  if (overrides.length > 0 || scale !== null || base !== null || dir !== undefined) {
    throw new UserError({
      code: "sweep_is_planned",
      message: `\`${source}\` is a sweep that was begun: its plan is fixed`,
      hint: `call \`npx thawline sweep ${join(source)}\` without settings, or name the sweep's file to begin another`,
    });
  }
  return { ...common, file: null, folder: path };
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of at least 1");
}

function share(text: string): Share {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const found = { index: Number(index), count: Number(count) };
  if (found.index >= 1 && found.index <= found.count) return found;
  throw new InvalidArgumentError("expected `i/n` with i from 1 to n, such as `3/8`");
}
