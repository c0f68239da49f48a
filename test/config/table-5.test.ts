import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { presetSettings } from "../../src/config/preset-settings.js";
import { TABLE_5, type TableSettings } from "../../src/config/table-5.js";

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
  "LoRA r": "lora_r",
  "LoRA alpha": "lora_alpha",
  "LoRA dropout": "lora_dropout",
};
const WORDS: Record<string, string | null> = { SGD: "sgd", AdamW: "adamw", "const.": "constant", "-": null };

function valueOf(cell: string): string | number | null {
  if (cell in WORDS) return WORDS[cell] ?? null;
  return Number.isNaN(Number(cell)) ? cell : Number(cell);
}

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
    return [KEYS[row[0] ?? ""], valueOf(text)];
  });
  return {
    title: titles?.[index + 1] ?? "",
    preset: presets?.[index + 1] ?? "",
    settings: Object.fromEntries(settings) as object,
  };
}

it("has all columns of the paper's table", () => {
  expect(rowsOfTheDocument()[0]).toEqual(["Table 5", ...TABLE_5.map(({ title }) => title)]);
  expect(
    rowsOfTheDocument()
      .slice(3)
      .map(([key]) => key),
  ).toEqual(Object.keys(KEYS));
});

describe.each(TABLE_5.map((column, index) => ({ ...column, index })))(
  "$title",
  ({ index, title, preset, settings }) => {
    it("is the paper's, as docs/paper-map.md copies it", () => {
      expect(columnOfTheDocument(index)).toEqual({ title, preset, settings });
    });

    it("is what its preset trains with", () => {
      expect(presetSettings({ title, preset, settings })).toEqual(settings);
    });
  },
);
