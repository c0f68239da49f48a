import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { modeInside, PRIVATE_FOLDER, refusedByDisk, replaceFile } from "../whole-file.js";
import type { Figure } from "./figures/figure.js";
import { runFigures } from "./figures/run-figures.js";
import { runPage } from "./page/run-page.js";
import { writeFigure } from "./render/figure-files.js";
import type { ReadRuns } from "./run-cache.js";

export const PAGE_FILE = "report.html";
const FIGURES_FOLDER = "figures";

export interface WrittenReport {
  readonly page: string;
  readonly figures: number;
  /** Scripts that somebody has changed, and that were left as they are. */
  readonly kept: readonly string[];
}

/**
 * Writes the page, and the figures in all their forms; each file is whole or as it was before.
 *
 * @param draws whether the figures are written beside the page
 * @throws UserError `unwritable_file`
 */
export async function writeReport(
  { runs }: ReadRuns,
  out: string,
  {
    written,
    draws,
    refresh = null,
  }: { readonly written: string; readonly draws: boolean; readonly refresh?: number | null },
): Promise<WrittenReport> {
  const folder = join(out, FIGURES_FOLDER);
  makeFolder(draws ? folder : out);
  const mode = modeInside(out);
  const figures: readonly Figure[] = runFigures(runs[0]!);
  const text = await runPage(runs[0]!, figures, { written, figuresFolder: FIGURES_FOLDER, refresh });
  const kept: string[] = [];
  if (draws) for (const figure of figures) kept.push(...(await writeFigure(folder, figure, mode)));
  const page = join(out, PAGE_FILE);
  replaceFile(page, text, mode);
  return { page, figures: draws ? figures.length : 0, kept };
}

/** @throws UserError `unwritable_file` */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error);
  }
}
