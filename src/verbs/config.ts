import type { Command } from "commander";
import { Document, visit } from "yaml";
import { requireFittingWelcome } from "../controller/welcome.js";
import { workerConfig } from "../controller/worker-config.js";
import { chooseRunFolder, runTimestamp } from "../runs/folder.js";
import { standardOutput } from "../output.js";
import { printable } from "../printable.js";
import { loadConfig } from "../config/layers/load.js";
import { chosenBy, tellLeftOut } from "../starting/chosen-config.js";

export function register(program: Command): void {
  const config = program.command("config").description("Look at configurations").helpCommand(false);
  config
    .command("show")
    .description("Print the configuration that a run would use, with every default filled in")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example train.learning_rate=0.1")
    .option("--json", "print JSON instead of YAML")
    .action((source: string, overrides: string[], options: { readonly json?: true }) => {
      const cwd = process.cwd();
      const { config: resolved, leftOut } = chosenBy((onLeftOut) =>
        loadConfig({ source, overrides, env: process.env, cwd, onLeftOut }),
      );
      tellLeftOut(leftOut);
      const now = new Date();
      const run = `${resolved.name}-${runTimestamp(now)}`;
      const runFolder = chooseRunFolder(resolved, undefined, cwd, now);
      requireFittingWelcome(workerConfig(resolved), { run, runFolder });
      standardOutput.print(options.json ? `${JSON.stringify(resolved)}\n` : asYaml(resolved));
    });
}

/** Between double quotes where a value holds what is shown as an escape, so that reading it gives the same value. */
function asYaml(config: unknown): string {
  const document = new Document(config);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === "string" && printable(node.value) !== node.value) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 });
}
