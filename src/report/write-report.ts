import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { modeInside, PRIVATE_FOLDER, refusedByDisk, replaceFile } from "../whole-file.js";
import { contentsOf, contentsOver, type Contents, type Subject } from "./contents.js";
import type { Figure } from "./figures/figure.js";
import type { PageOptions } from "./page/page.js";
import { runPage } from "./page/run-page.js";
import { sweepPage } from "./page/sweep-page.js";
import { sweepsPage } from "./page/sweeps-page.js";
import { renderTable, TABLE_ENDINGS, TABLE_FORMATS } from "./render/render-table.js";
import type { Table } from "./tables/table.js";
import type { WhatIfRules } from "./tables/what-if.js";

export const PAGE_FILE = "report.html";
const FIGURES_FOLDER = "figures";
const TABLES_FOLDER = "tables";

export interface WrittenReport {
  readonly page: string;
  readonly figures: number;
  readonly tables: number;
  /** Scripts that somebody has changed, and that were left as they are. */
  readonly kept: readonly string[];
}

export interface ReportOptions extends Pick<PageOptions, "written" | "refresh"> {
  /** Whether figures and tables are written beside the page. */
  readonly draws: boolean;
  readonly whatIf: WhatIfRules | null;
}

/**
 * Writes the page, and figures and tables in all their forms; each file is whole or as it was before.
 *
 * @throws UserError `unwritable_file`
 */
export async function writeReport(subject: Subject, out: string, options: ReportOptions): Promise<WrittenReport> {
  const { draws } = options;
  const { text, figures, tables } = await composeReport(subject, options);
  makeFolder(out);
  const mode = modeInside(out);
  const kept = draws ? await writeBeside(out, figures, tables, mode) : [];
  const page = join(out, PAGE_FILE);
  replaceFile(page, text, mode);
  return { page, figures: draws ? figures.length : 0, tables: draws ? tables.length : 0, kept };
}

interface ComposedReport {
  readonly text: string;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}

async function composeReport(subject: Subject, { whatIf, ...options }: ReportOptions): Promise<ComposedReport> {
  const pageOptions = { ...options, figuresFolder: FIGURES_FOLDER };
  if (subject.kind === "sweeps") {
    const contents = contentsOver(subject.sweeps, whatIf);
    const parts = contents.parts.map((part) => besideOf(part.contents));
    return {
      text: await sweepsPage(contents, pageOptions),
      figures: parts.flatMap(({ figures }) => figures),
      tables: [...contents.tables, ...parts.flatMap(({ tables }) => tables)],
    };
  }
  const contents = contentsOf(subject, whatIf);
  const text =
    subject.kind === "run"
      ? await runPage(subject.run, contents, pageOptions)
      : await sweepPage(subject.facts, contents, pageOptions);
  return { text, ...besideOf(contents) };
}

function besideOf({ figures, paper, tables, whatIf }: Contents): Omit<ComposedReport, "text"> {
  return {
    figures: [...figures, ...paper.flatMap((one) => one.figures), ...whatIf.figures],
    tables: [...tables, ...whatIf.tables],
  };
}

async function writeBeside(
  out: string,
  figures: readonly Figure[],
  tables: readonly Table[],
  mode: number,
): Promise<string[]> {
  // What draws is most of what a page alone would load.
  const { writeFigure } = await import("./render/figure-files.js");
  const kept: string[] = [];
  const folder = join(out, FIGURES_FOLDER);
  makeFolder(folder);
  for (const figure of figures) kept.push(...(await writeFigure(folder, figure, mode)));
  if (tables.length > 0) makeFolder(join(out, TABLES_FOLDER));
  for (const table of tables) {
    for (const format of TABLE_FORMATS) {
      replaceFile(join(out, TABLES_FOLDER, `${table.name}.${TABLE_ENDINGS[format]}`), renderTable(table, format), mode);
    }
  }
  return kept;
}

/** @throws UserError `unwritable_file` */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error);
  }
}
