import { Option, type Command } from "commander";
import { canShowView } from "../ui/terminal.js";
import type { Telling } from "./foreground.js";

export interface DisplayOptions {
  readonly plain?: true;
  readonly json?: true;
  readonly headless?: true;
}

export function addDisplayOptions(command: Command): Command {
  return command
    .option("--plain", "one line an event, also in a terminal")
    .option("--json", "one JSON object a line on stdout: the journal's records")
    .option("--headless", "say nothing until the end");
}

/** Where nothing is started that lasts there is no folder to choose, and no view of it. */
export function dryRunOption(meaning: string): Option {
  return new Option("--dry-run", meaning).conflicts(["runDir", "groupReadable", "plain", "headless", "report"]);
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
