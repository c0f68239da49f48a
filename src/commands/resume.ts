import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { livedSeconds } from "../controller/lived-seconds.js";
import { RESULTS_FILE, writeOutcome } from "../controller/outcome.js";
import { UserError } from "../errors.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal, requireSameCore } from "../journal/replay.js";
import { packageVersion } from "../package.js";
import { runDetached } from "./detached.js";
import { runInForeground } from "./foreground.js";
import { addDisplayOptions, tellingOf, wantsView, type DisplayOptions } from "./display.js";
import { workerProgramOf } from "./worker-program.js";

interface ResumeOptions extends DisplayOptions {
  readonly takeover?: true;
}

export function register(program: Command): void {
  const resume = program
    .command("resume")
    .description("Go on with a run from its last verified checkpoint; configuration and threads are the journal's")
    .argument("<run folder>")
    .allowExcessArguments()
    .option("--takeover", "take the run from a controller on another host that is gone");
  addDisplayOptions(resume).action(async (folder: string, options: ResumeOptions, { args }: Command) => {
    refuseSettings(args.slice(1));
    const runFolder = resolve(folder);
    const { records } = await readJournal(runFolder);
    const state = replayJournal(records);
    requireSameCore(state);
    if (state.end?.outcome === "finished") {
      // A controller that died right after its last record has left this undone.
      if (!existsSync(join(runFolder, RESULTS_FILE))) {
        writeOutcome(runFolder, state, livedSeconds(records), packageVersion());
      }
      process.stderr.write(`\`${folder}\` has finished: there is nothing to resume\n`);
      return;
    }
    await workerProgramOf(state.config);
    const takeover = options.takeover ?? false;
    if (wantsView(options)) await runDetached(runFolder, null, takeover);
    else {
      const { config } = state;
      await runInForeground({ runFolder, config, create: null, telling: tellingOf(options), takeover });
    }
  });
}

/** People try what `run` takes; why it cannot work here is worth more than a count of arguments. */
function refuseSettings([setting]: readonly string[]): void {
  if (setting === undefined) return;
  throw new UserError({
    code: "resume_changes_nothing",
    message: `\`${setting}\` cannot be given: a resumed run keeps the configuration of its journal`,
    hint: "start a new run with `npx thawline run` to change a setting",
  });
}
