import type { Command } from "commander";
import { loadConfig } from "../config/load.js";
import { checkPaths } from "../config/paths.js";
import { addDisplayOptions } from "./display.js";
import { startRun, type StartOptions } from "./start-run.js";

export function register(program: Command): void {
  const run = program
    .command("run")
    .description("Train one run under the controller; a terminal gets the live view, a pipe one line an event")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example train.learning_rate=0.1")
    .option("--run-dir <folder>", "folder of the run (default: runs/<name>-<UTC time>)");
  addDisplayOptions(run).action(async (source: string, overrides: string[], options: StartOptions) => {
    const cwd = process.cwd();
    const config = loadConfig({ source, overrides, env: process.env, cwd });
    checkPaths(config);
    await startRun(config, cwd, options);
  });
}
