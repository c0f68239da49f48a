import type { Command } from "commander";
import { runInForeground } from "../starting/foreground.js";
import { readHead } from "../journal/reader.js";
import { replayJournal } from "../journal/replay.js";
import type { RunConfig } from "../config/attached.js";
import { readRunConfig } from "../runs/folder.js";
import { withGivenWeights } from "../runs/given-weights.js";

interface ControllerOptions {
  readonly create?: string;
  readonly takeover?: true;
  readonly asCopy?: true;
  readonly json?: true;
  readonly tied?: true;
}

/** What `run` and `resume` start in the background, and `sweep` for each of its runs; its output goes to `controller.log`. Not for people. */
export function register(program: Command): void {
  program
    .command("controller", { hidden: true })
    .argument("<run folder>")
    .option("--create <run>")
    .option("--takeover")
    .option("--as-copy")
    .option("--json")
    .option("--tied")
    .action(async (runFolder: string, options: ControllerOptions) => {
      const { create: run } = options;
      // Known already where `run` made the folder; a sweep leaves it to the moment at which the run begins.
      const config =
        run === undefined ? await journaledConfig(runFolder) : await withGivenWeights(readRunConfig(runFolder));
      await runInForeground({
        runFolder,
        config,
        create: run === undefined ? null : { run, config },
        telling: options.json ? "json" : "plain",
        takeover: options.takeover ?? false,
        asCopy: options.asCopy ?? false,
        ignoreHangup: true,
        tied: options.tied ?? false,
      });
    });
}

/** The file beside the journal is for people; what a run goes on with is in the journal. */
async function journaledConfig(runFolder: string): Promise<RunConfig> {
  return replayJournal((await readHead(runFolder)).slice(0, 1)).config;
}
