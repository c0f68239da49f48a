import type { Command } from "commander";
import { listPresets } from "../config/presets.js";

export function register(program: Command): void {
  program
    .command("presets")
    .description("List the configurations that come with thawline")
    .option("--json", "print one JSON object a line")
    .action((options: { readonly json?: true }) => {
      const presets = listPresets();
      const width = Math.max(...presets.map(({ name }) => name.length));
      for (const { name, description, path } of presets) {
        const line = options.json
          ? JSON.stringify({ name, description, path })
          : `${name.padEnd(width)}  ${description}`;
        process.stdout.write(`${line}\n`);
      }
    });
}
