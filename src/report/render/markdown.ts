import { singleLine } from "../../printable.js";
import { cellText } from "../tables/cell-text.js";
import { decimalsOf } from "../tables/number-words.js";
import { ranksOf, type Rank } from "../tables/ranks.js";
import type { Cell, Column, Table } from "../tables/table.js";
import { markLetters } from "./mark-letters.js";
import type { RenderOptions } from "./render-table.js";

/** As Markdown (GitHub's form of tables): caption, table, what its marks mean, notes. The best in bold, the second in italics. */
export function renderMarkdown(table: Table, { digits }: RenderOptions = {}): string {
  const letters = markLetters(table);
  const ranks = ranksOf(table, digits);
  const head = [
    escapeMarkdown(table.stub),
    ...table.columns.map((column, index) => `${headingOf(column)}${raised(letters.ofColumn[index]!)}`),
  ];
  const rows = table.rows.map(({ label, cells }, row) => [
    `${escapeMarkdown(label)}${raised(letters.ofRow[row]!)}`,
    ...cells.map((cell, index) => {
      const text = markdownOf(cell, table.columns[index]!, ranks[row]![index]!, digits);
      return `${text}${raised(letters.ofCell[row]![index]!)}`;
    }),
  ]);
  const legend = letters.legend.map(({ letter, words }) => `- ${raised(letter)} ${escapeMarkdown(words)}`);
  const notes = table.notes.map((note) => `- ${escapeMarkdown(note)}`);
  const below = [...legend, ...notes];
  return [
    `**${escapeMarkdown(table.caption)}**`,
    "",
    ...alignedRows(head, rows),
    ...(below.length === 0 ? [] : ["", ...below]),
    "",
  ].join("\n");
}

/** The unit stands in the heading, so that no number needs it. */
function headingOf({ heading, unit, shown }: Column): string {
  const words = escapeMarkdown(heading);
  return unit === "share" && shown !== "text" ? `${words} (%)` : words;
}

function markdownOf(cell: Cell, column: Column, rank: Rank, digits?: number): string {
  if (cell.text !== null) return escapeMarkdown(cell.text);
  const { text, isMean } = cellText(cell, column, decimalsOf(column, digits));
  return isMean ? ranked(text, rank) : text;
}

function ranked(text: string, rank: Rank): string {
  if (rank === "best") return `**${text}**`;
  return rank === "second" ? `_${text}_` : text;
}

function raised(letters: string): string {
  return letters === "" ? "" : `<sup>${letters}</sup>`;
}

/** Columns of equal width, so that the text is a table before it is rendered as one. */
function alignedRows(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((text, index) => Math.max(3, text.length, ...rows.map((row) => row[index]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, index) => text.padEnd(widths[index]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)];
}

/**
 * Text from outside as a cell of a table, or a paragraph, that reads as the text itself. An underscore between letters
 * emphasises nothing and stays as it is.
 */
export function escapeMarkdown(text: string): string {
  return singleLine(text)
    .replace(/[\\`*[\]<>|~&$]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replace(/^(?=[#+=-])/, "\\")
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2");
}
