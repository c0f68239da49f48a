import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import type { Command } from "commander";
import type { LostTail } from "../journal/lost-tail.js";
import { replayFolder } from "../journal/replay.js";
import { standardOutput } from "../output.js";
import { singleLine } from "../printable.js";
import { listedRun, readFinishedRun, type ListedRun } from "../runs/finished-run.js";
import { runFoldersIn } from "../runs/list.js";
import { hasPlan } from "../sweep/plan-file.js";
import type { WatchedRun, WatchedSweep } from "../sweep/watched-sweep.js";
import { describeJobs } from "../words/slurm-jobs.js";
import { describeListedRun, describeListedSweep } from "../words/sweep-list.js";

export function register(program: Command): void {
  program
    .command("list")
    .description("List the sweeps and runs under a folder, newest first, or the runs of a sweep")
    .argument("[folder]", "of runs and sweeps, or of one sweep (default: runs)")
    .option("--json", "print one JSON object a line")
    .action(async (folder: string | undefined, options: { readonly json?: true }) => {
      const root = folder ?? "runs";
      if (hasPlan(root)) {
        const sweep = await lookAt(root);
        for (const run of sweep.runs)
          await printLine(options.json ? JSON.stringify(rowOf(run, sweep)) : describeListedRun(run, sweep));
        if (!options.json) for (const job of describeJobs(sweep.jobs)) await printLine(job);
        return;
      }
      const runFolders = runFoldersIn(root);
      for (const folderOfSweep of sweepFoldersIn(root)) await printLine(await describeSweepIn(folderOfSweep, options));
      for (const runFolder of runFolders) {
        standardOutput.print(`${await describe(runFolder, options)}\n`);
        await standardOutput.drained();
      }
    });
}

/** Loaded for those who have sweeps. */
async function lookAt(sweep: string): Promise<WatchedSweep> {
  const { SweepWatch } = await import("../sweep/sweep-watch.js");
  const watch = new SweepWatch(sweep);
  await watch.askScheduler(Date.now());
  return watch.look(Date.now());
}

async function printLine(line: string): Promise<void> {
  standardOutput.print(`${line}\n`);
  await standardOutput.drained();
}

function sweepFoldersIn(root: string): string[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => join(root, name)).filter(hasPlan);
}

async function describeSweepIn(folder: string, options: { readonly json?: true }): Promise<string> {
  try {
    const sweep = await lookAt(folder);
    if (!options.json) return `${shown(folder)} ${describeListedSweep(sweep)}`;
    const standings = Object.fromEntries(sweep.runs.map(({ id, standing }) => [id, standing]));
    return JSON.stringify({ sweep: sweep.name, folder, runs: standings, slurm: sweep.jobs });
  } catch (error) {
    return describeUnreadable(folder, error instanceof Error ? error.message : String(error), options);
  }
}

function rowOf({ id, condition, seed, axes, standing, k, failure, folder }: WatchedRun, sweep: WatchedSweep): object {
  const { score, runs } = sweep;
  const value = score === null ? null : (runs.find((run) => run.id === id)?.scores?.[score] ?? null);
  return { run: id, folder, condition, seed, axes, status: standing, k: k?.value ?? null, score, value, failure };
}

/** One run that cannot be read, for whatever reason, must not hide the others. */
async function describe(runFolder: string, options: { readonly json?: true }): Promise<string> {
  try {
    const finished = await readFinishedRun(runFolder);
    if (finished !== null) return describeRun(runFolder, finished, null, options);
    const { state, lost } = await replayFolder(runFolder);
    return describeRun(runFolder, listedRun(state, runFolder), lost, options);
  } catch (error) {
    return describeUnreadable(runFolder, error instanceof Error ? error.message : String(error), options);
  }
}

function describeRun(
  runFolder: string,
  { run, status, updates, of, k }: ListedRun,
  lost: LostTail | null,
  options: { readonly json?: true },
): string {
  if (options.json) {
    const row = { run, folder: runFolder, status, updates, of, k: k?.value ?? null };
    return JSON.stringify(lost === null ? row : { ...row, lost_bytes: lost.bytes });
  }
  const interval = k === null ? "k -" : `k ${k.value} (${k.source})`;
  const tail = lost === null ? "" : `; its journal has lost ${lost.bytes} bytes at the end`;
  return `${shown(runFolder)} ${status.padEnd(9)} ${`${updates}/${of ?? "?"}`.padStart(11)}  ${interval}${tail}`;
}

function describeUnreadable(runFolder: string, message: string, options: { readonly json?: true }): string {
  if (options.json) return JSON.stringify({ folder: runFolder, status: "unreadable", message });
  return `${shown(runFolder)} unreadable: ${singleLine(message)}`;
}

function shown(runFolder: string): string {
  return singleLine(relative(".", runFolder)).padEnd(44);
}
