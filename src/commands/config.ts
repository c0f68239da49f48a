import type { Command } from "commander";
import { stringify } from "yaml";
import { loadConfig } from "../config/load.js";

export function register(program: Command): void {
  const config = program.command("config").description("Look at configurations").helpCommand(false);
  config
    .command("show")
    .description("Print the configuration that a run would use, with every default filled in")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example train.learning_rate=0.1")
    .option("--json", "print JSON instead of YAML")
    .action((source: string, overrides: string[], options: { readonly json?: true }) => {
      const resolved = loadConfig({ source, overrides, env: process.env, cwd: process.cwd() });
      process.stdout.write(options.json ? `${JSON.stringify(resolved)}\n` : stringify(resolved));
    });
}
