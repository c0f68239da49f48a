import { resolve } from "node:path";
import type { Command } from "commander";
import { describeLostTail } from "../journal/lost-tail.js";
import { followJournal, readHead } from "../journal/reader.js";
import { readable, reduceRecord } from "../journal/replay.js";
import type { State } from "../core/state.js";
import { runView } from "../ui/app.js";
import { createPlainLines, jsonLine } from "../words/plain.js";
import { standardError, standardOutput } from "../output.js";
import { UserError } from "../errors.js";
import { latestRunFolder } from "../runs/list.js";
import { hasPlan } from "../sweep/plan-file.js";
import { wantsView, type DisplayOptions } from "../starting/display-options.js";

export function register(program: Command): void {
  program
    .command("watch")
    .description(
      "The live view of running or finished runs, or of a sweep; it only looks, and leaving it changes nothing",
    )
    .argument("[folder...]", "of runs, several in one chart, or of one sweep (default: the newest run under runs/)")
    .option("--plain", "one line an event, also in a terminal")
    .option("--json", "one JSON object a line: the journal's records")
    .action(async (folders: string[], options: DisplayOptions) => {
      const runFolders = (folders.length > 0 ? folders : [latestRunFolder(process.cwd())]).map((f) => resolve(f));
      if (runFolders.some(hasPlan)) {
        if (runFolders.length > 1) throw sweepAmongRuns(runFolders.find(hasPlan)!);
        const { watchSweep } = await import("../starting/watch-sweep.js");
        await watchSweep(runFolders[0]!, options);
        return;
      }
      for (const folder of runFolders) await readHead(folder);
      if (wantsView(options)) {
        const { stdout, stdin, env } = process;
        await runView({ runFolders, stdout, stdin, env, interrupt: "leave" });
      } else {
        await Promise.all(runFolders.map((folder) => tellRun(folder, options.json === true)));
      }
    });
}

function sweepAmongRuns(folder: string): UserError {
  return new UserError({
    code: "sweep_among_runs",
    message: `\`${folder}\` is a sweep, and is watched by itself`,
    hint: "name it alone, or name run folders only",
  });
}

/** Prints a run's events from its beginning until it ends. */
async function tellRun(runFolder: string, json: boolean): Promise<void> {
  const done = new AbortController();
  const plainLines = createPlainLines();
  let state: State | null = null;
  let numRecords = 0;
  for await (const { records, isLast, lost } of followJournal(runFolder, { signal: done.signal })) {
    numRecords += records.length;
    for (const record of records) {
      state = reduceRecord(state, record).state;
      const lines = json ? [jsonLine(record)] : readable(record, () => plainLines(record, state!));
      for (const line of lines) standardOutput.print(`${line}\n`);
    }
    // A reader that is slower than the journal is waited for: what it has not read is not kept in memory.
    await standardOutput.drained();
    if (lost !== null) standardError.print(`note: ${describeLostTail(lost, numRecords)}\n`);
    // A run that was resumed has ended before.
    if (isLast && state?.end != null) done.abort();
  }
}
