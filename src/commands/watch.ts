import { resolve } from "node:path";
import type { Command } from "commander";
import { followJournal, readJournal } from "../journal/reader.js";
import { replayRecord } from "../journal/replay.js";
import type { State } from "../core/state.js";
import { runView } from "../ui/app.js";
import { createPlainLines, jsonLine } from "../ui/plain.js";
import { latestRunFolder } from "./list.js";
import { wantsView, type DisplayOptions } from "./display.js";

export function register(program: Command): void {
  program
    .command("watch")
    .description("The live view of running or finished runs; it only looks, and leaving it changes nothing")
    .argument("[run folder...]", "default: the newest run under runs/")
    .option("--plain", "one line an event, also in a terminal")
    .option("--json", "one JSON object a line: the journal's records")
    .action(async (folders: string[], options: DisplayOptions) => {
      const runFolders = (folders.length > 0 ? folders : [latestRunFolder(process.cwd())]).map((f) => resolve(f));
      for (const folder of runFolders) await readJournal(folder);
      if (wantsView(options)) {
        const { stdout, stdin, env } = process;
        await runView({ runFolders, stdout, stdin, env, interrupt: "leave" });
      } else {
        await Promise.all(runFolders.map((folder) => tellRun(folder, options.json === true)));
      }
    });
}

/** Prints a run's events from its beginning until it ends. */
async function tellRun(runFolder: string, json: boolean): Promise<void> {
  const done = new AbortController();
  const plainLines = createPlainLines();
  let state: State | null = null;
  for await (const records of followJournal(runFolder, { signal: done.signal })) {
    for (const record of records) {
      state = replayRecord(state, record);
      const lines = json ? [jsonLine(record)] : plainLines(record, state);
      for (const line of lines) process.stdout.write(`${line}\n`);
    }
    if (state?.end != null) done.abort();
  }
}
