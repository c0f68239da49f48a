import { relative } from "node:path";
import type { Command } from "commander";
import type { LostTail } from "../journal/lost-tail.js";
import { replayFolder } from "../journal/replay.js";
import { standardOutput } from "../output.js";
import { singleLine } from "../printable.js";
import { listedRun, readFinishedRun, type ListedRun } from "../runs/finished-run.js";
import { runFoldersIn } from "../runs/list.js";

export function register(program: Command): void {
  program
    .command("list")
    .description("List the runs under a folder, newest first")
    .argument("[folder]", "default: runs")
    .option("--json", "print one JSON object a line")
    .action(async (folder: string | undefined, options: { readonly json?: true }) => {
      const root = folder ?? "runs";
      for (const runFolder of runFoldersIn(root)) {
        standardOutput.print(`${await describe(runFolder, options)}\n`);
        await standardOutput.drained();
      }
    });
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
