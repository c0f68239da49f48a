import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Command } from "commander";
import type { State } from "../core/state.js";
import { completedUpdates } from "../core/results.js";
import { UserError } from "../errors.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { liveHolder } from "../journal/lock.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal } from "../journal/replay.js";

export function register(program: Command): void {
  program
    .command("list")
    .description("List the runs under a folder, newest first")
    .argument("[folder]", "default: runs")
    .option("--json", "print one JSON object a line")
    .action(async (folder: string | undefined, options: { readonly json?: true }) => {
      const root = folder ?? "runs";
      for (const runFolder of runFoldersIn(root)) process.stdout.write(`${await describe(runFolder, options)}\n`);
    });
}

/** Run folders directly under `root`, newest first. */
export function runFoldersIn(root: string): string[] {
  return listFolders(root)
    .map((name) => join(root, name))
    .flatMap((path) => {
      const journal = statSync(join(path, JOURNAL_FILE), { throwIfNoEntry: false });
      return journal === undefined ? [] : [{ path, modified: journal.mtimeMs }];
    })
    .sort((a, b) => b.modified - a.modified)
    .map(({ path }) => path);
}

/** @throws UserError `no_runs` */
export function latestRunFolder(cwd: string): string {
  const newest = runFoldersIn(join(cwd, "runs"))[0];
  if (newest !== undefined) return newest;
  throw new UserError({
    code: "no_runs",
    message: "there is no run under `runs`",
    hint: "start one with `npx thawline run quickstart`, or name a run folder",
  });
}

async function describe(runFolder: string, options: { readonly json?: true }): Promise<string> {
  const state = await readState(runFolder);
  if (state instanceof UserError) return describeUnreadable(runFolder, state, options);
  const status = statusOf(state, runFolder);
  const updates = completedUpdates(state);
  const k = state.interval === null ? null : state.interval.k;
  if (options.json) {
    return JSON.stringify({
      run: state.run,
      folder: runFolder,
      status,
      updates,
      of: state.model?.numUpdates ?? null,
      k,
    });
  }
  const total = state.model?.numUpdates ?? "?";
  const interval = state.interval === null ? "k -" : `k ${state.interval.k} (${state.interval.source})`;
  return `${relative(".", runFolder).padEnd(44)} ${status.padEnd(9)} ${`${updates}/${total}`.padStart(11)}  ${interval}`;
}

/** One run that cannot be read must not hide the others. */
async function readState(runFolder: string): Promise<State | UserError> {
  try {
    return replayJournal((await readJournal(runFolder)).records);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

function describeUnreadable(runFolder: string, { message }: UserError, options: { readonly json?: true }): string {
  if (options.json) return JSON.stringify({ folder: runFolder, status: "unreadable", message });
  return `${relative(".", runFolder).padEnd(44)} unreadable: ${message}`;
}

/** A run without an end and without a live controller was cut off, and can be resumed. */
function statusOf(state: State, runFolder: string): string {
  if (state.end !== null) return state.end.outcome;
  return liveHolder(runFolder) === null ? "cut off" : "running";
}

function listFolders(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    throw new UserError({
      code: "no_runs",
      message: `there is no folder \`${root}\``,
      hint: "start a run with `npx thawline run quickstart`, or name the folder of your runs",
    });
  }
}
