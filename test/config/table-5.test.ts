import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import { TABLE_5, tableSettings, type TableSettings } from "../../src/config/table-5.js";

const DOCUMENT = join(import.meta.dirname, "../../docs/paper-map.md");

/** How the configuration calls the rows of the paper. */
const KEYS: Record<string, keyof TableSettings> = {
  optimizer: "optimizer",
  "lr scheduler": "schedule",
  lr_d: "learning_rate",
  "batch size": "batch_size",
  "training epochs": "epochs",
  "weight decay": "weight_decay",
  momentum: "momentum",
};
const WORDS: Record<string, string> = { SGD: "sgd", "const.": "constant" };

/** The copy of the paper's table, cell by cell. */
function rowsOfTheDocument(): string[][] {
  const lines = readFileSync(DOCUMENT, "utf8").split("\n");
  const first = lines.findIndex((line) => line.includes("| Table 5 | MNIST RN18"));
  const rows = lines.slice(first, first + 3 + Object.keys(KEYS).length);
  return rows.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

function columnOfTheDocument(index: number): { title: string; preset: string; settings: object } {
  const [titles, , presets, ...rows] = rowsOfTheDocument();
  const settings = rows.map((row) => {
    const text = row[index + 1] ?? "";
    return [KEYS[row[0] ?? ""], WORDS[text] ?? Number(text)];
  });
  return {
    title: titles?.[index + 1] ?? "",
    preset: presets?.[index + 1] ?? "",
    settings: Object.fromEntries(settings) as object,
  };
}

describe.each(TABLE_5.map((column, index) => ({ ...column, index })))(
  "$title",
  ({ index, title, preset, settings }) => {
    it("is the paper's, as docs/paper-map.md copies it", () => {
      expect(columnOfTheDocument(index)).toEqual({ title, preset, settings });
    });

    it("is what its preset trains with", () => {
      const config = loadConfig({ source: preset, overrides: ["data.path=unread"], cwd: "/" });
      expect(tableSettings(config)).toEqual(settings);
      expect(config.train.updates).toBeNull();
    });
  },
);
