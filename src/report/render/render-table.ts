import type { Table } from "../tables/table.js";
import { renderCsv } from "./csv.js";
import { renderJson } from "./json.js";
import { renderLatex } from "./latex.js";
import { renderMarkdown } from "./markdown.js";

export const TABLE_FORMATS = ["markdown", "latex", "csv", "json"] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Ending of the file that holds a table in this format. */
export const TABLE_ENDINGS: Readonly<Record<TableFormat, string>> = {
  markdown: "md",
  latex: "tex",
  csv: "csv",
  json: "json",
};

export interface RenderOptions {
  /** Decimals of percentages in Markdown and LaTeX; two unless told otherwise. CSV and JSON have all digits. */
  readonly digits?: number;
  /** Whether columns of LaTeX are aligned by siunitx. */
  readonly siunitx?: boolean;
  /** Of thawline, for the first line of LaTeX. */
  readonly version?: string;
}

/** A table as the text of a file. Renderers know tables, and nothing of runs. */
export function renderTable(table: Table, format: TableFormat, options: RenderOptions = {}): string {
  switch (format) {
    case "markdown":
      return renderMarkdown(table, options);
    case "latex":
      return renderLatex(table, options);
    case "csv":
      return renderCsv(table);
    case "json":
      return renderJson(table);
  }
}
