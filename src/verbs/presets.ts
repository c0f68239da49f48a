import type { Command } from "commander";
import { listPresets } from "../config/layers/presets.js";
import { standardOutput } from "../output.js";
import { presetSettings } from "../config/preset-settings.js";
import { TABLE_5, type TableSettings } from "../config/table-5.js";

interface PresetsOptions {
  readonly json?: true;
  readonly table?: true;
}

export function register(program: Command): void {
  program
    .command("presets")
    .description("List the configurations that come with thawline")
    .option("--table", "print the paper's Table 5 beside the presets' values")
    .option("--json", "print one JSON object a line")
    .action(({ json, table }: PresetsOptions) => {
      const rows: readonly object[] = table ? tableRows() : listPresets();
      const lines = json ? rows.map((row) => JSON.stringify(row)) : table ? tableLines() : presetLines();
      standardOutput.print(`${lines.join("\n")}\n`);
    });
}

function presetLines(): string[] {
  const presets = listPresets();
  const width = Math.max(...presets.map(({ name }) => name.length));
  return presets.map(({ name, description }) => `${name.padEnd(width)}  ${description}`);
}

interface TableRow extends TableSettings {
  readonly preset: string;
  readonly values: "paper" | "preset";
}

/** Two rows a preset: the paper's values, and those that a run of the preset would use. */
function tableRows(): TableRow[] {
  return TABLE_5.flatMap((column): TableRow[] => [
    { preset: column.preset, values: "paper", ...column.settings },
    { preset: column.preset, values: "preset", ...presetSettings(column) },
  ]);
}

function tableLines(): string[] {
  const rows = tableRows().map((row) =>
    Object.entries(row).map(([key, value]) => [key, String(value ?? "-")] as const),
  );
  const header = rows[0]?.map(([key]) => key) ?? [];
  const cells = [header, ...rows.map((row) => row.map(([, value]) => value))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
