import type { Command } from "commander";
import { runInForeground } from "./foreground.js";
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
      const create = options.create === undefined ? null : { run: options.create, config: readRunConfig(runFolder) };
      await runInForeground({
        runFolder,
        create,
        telling: "plain",
        takeover: options.takeover ?? false,
        ignoreHangup: true,
      });
    });
}
