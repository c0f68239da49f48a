import type { Command } from "commander";
import { loadConfig } from "../config/load.js";
import { checkPaths } from "../config/paths.js";
import { canShowView } from "../ui/terminal.js";
import { runDetached } from "./detached.js";
import { runInForeground, type Telling } from "./foreground.js";
import { chooseRunFolder, createRunFolder, runTimestamp } from "./run-folder.js";
import { workerProgramOf } from "./worker-program.js";

interface RunOptions extends DisplayOptions {
  readonly runDir?: string;
}

export interface DisplayOptions {
  readonly plain?: true;
  readonly json?: true;
  readonly headless?: true;
}

export function register(program: Command): void {
  const run = program
    .command("run")
    .description("Train one run under the controller; a terminal gets the live view, a pipe one line an event")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example train.learning_rate=0.1")
    .option("--run-dir <folder>", "folder of the run (default: runs/<name>-<UTC time>)");
  addDisplayOptions(run).action(async (source: string, overrides: string[], options: RunOptions) => {
    const now = new Date();
    const cwd = process.cwd();
    const config = loadConfig({ source, overrides, env: process.env, cwd });
    checkPaths(config);
    // Asked before the run folder exists: a run that cannot start must leave nothing behind.
    await workerProgramOf(config);
    const runFolder = chooseRunFolder(config, options.runDir, cwd, now);
    createRunFolder(runFolder, config);
    const create = { run: `${config.name}-${runTimestamp(now)}`, config };
    if (wantsView(options)) await runDetached(runFolder, create.run);
    else await runInForeground({ runFolder, config, create, telling: tellingOf(options) });
  });
}

export function addDisplayOptions(command: Command): Command {
  return command
    .option("--plain", "one line an event, also in a terminal")
    .option("--json", "one JSON object a line on stdout: the journal's records")
    .option("--headless", "say nothing until the end");
}

/** The live view needs a terminal on both ends: one to draw on, one to take keys from. */
export function wantsView(options: DisplayOptions): boolean {
  const asked = options.plain ?? options.json ?? options.headless ?? false;
  return !asked && canShowView(process.stdin, process.stdout, process.env);
}

export function tellingOf(options: DisplayOptions): Telling {
  if (options.json) return "json";
  return options.headless ? "quiet" : "plain";
}
