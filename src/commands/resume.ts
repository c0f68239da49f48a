import { resolve } from "node:path";
import type { Command } from "commander";
import { readJournal } from "../journal/reader.js";
import { replayJournal, requireSameCore } from "../journal/replay.js";
import { findPython } from "../launch/python.js";
import { PACKAGE_ROOT } from "../package.js";
import { runDetached } from "./detached.js";
import { runInForeground } from "./foreground.js";
import { addDisplayOptions, tellingOf, wantsView, type DisplayOptions } from "./run.js";

interface ResumeOptions extends DisplayOptions {
  readonly takeover?: true;
}

export function register(program: Command): void {
  const resume = program
    .command("resume")
    .description("Go on with a run from its last verified checkpoint; configuration and threads are the journal's")
    .argument("<run folder>")
    .option("--takeover", "take the run from a controller on another host that is gone");
  addDisplayOptions(resume).action(async (folder: string, options: ResumeOptions) => {
    const runFolder = resolve(folder);
    const state = replayJournal((await readJournal(runFolder)).records);
    requireSameCore(state);
    if (state.end?.outcome === "finished") {
      process.stderr.write(`\`${folder}\` has finished: there is nothing to resume\n`);
      return;
    }
    await findPython({ env: process.env, packageRoot: PACKAGE_ROOT });
    const takeover = options.takeover ?? false;
    if (wantsView(options)) await runDetached(runFolder, null, takeover);
    else await runInForeground({ runFolder, create: null, telling: tellingOf(options), takeover });
  });
}
