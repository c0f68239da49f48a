import type { Command } from "commander";
import { runInForeground } from "./foreground.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal } from "../journal/replay.js";
import type { RunConfig } from "../config/attached.js";
import { readRunConfig } from "./run-folder.js";

interface ControllerOptions {
  readonly create?: string;
  readonly takeover?: true;
}

/** What `run` and `resume` start in the background; its output goes to `controller.log`. Not for people. */
export function register(program: Command): void {
  program
    .command("controller", { hidden: true })
    .argument("<run folder>")
    .option("--create <run>")
    .option("--takeover")
    .action(async (runFolder: string, options: ControllerOptions) => {
      const { create: run } = options;
      const config = run === undefined ? await journaledConfig(runFolder) : readRunConfig(runFolder);
      await runInForeground({
        runFolder,
        config,
        create: run === undefined ? null : { run, config },
        telling: "plain",
        takeover: options.takeover ?? false,
        ignoreHangup: true,
      });
    });
}

/** The file beside the journal is for people; what a run goes on with is in the journal. */
async function journaledConfig(runFolder: string): Promise<RunConfig> {
  const { records } = await readJournal(runFolder);
  return replayJournal(records.slice(0, 1)).config;
}
