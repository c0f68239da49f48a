import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../figures/figure.js";
import { replaceFile } from "../../whole-file.js";
import { figureCsv } from "./figure-csv.js";
import { matplotlibScript } from "./matplotlib.js";
import { pngOf } from "./png.js";
import { drawWithVega } from "./vega.js";
import type { FIGURE_ENDINGS } from "./figure-endings.js";

/**
 * Writes a figure in all its forms into a folder that is there.
 *
 * @returns the path of its script where somebody has changed it: it is theirs then, and stays
 * @throws UserError `unwritable_file`
 */
export async function writeFigure(folder: string, figure: Figure, mode: number): Promise<string[]> {
  const { spec, svg } = await drawWithVega(figure);
  const path = (ending: (typeof FIGURE_ENDINGS)[number]): string => join(folder, `${figure.id}${ending}`);
  replaceFile(path(".csv"), figureCsv(figure), mode);
  replaceFile(path(".vl.json"), `${JSON.stringify(spec, null, 1)}\n`, mode);
  replaceFile(path(".svg"), `${svg}\n`, mode);
  replaceFile(path(".png"), pngOf(svg), mode);
  if (isChanged(path(".py"))) return [path(".py")];
  replaceFile(path(".py"), sealed(matplotlibScript(figure)), mode);
  return [];
}

const SEAL = /^# Written by thawline \(([0-9a-f]{16})\); once it is changed it is yours, and is not written again\.\n/;

function sealed(script: string): string {
  return `# Written by thawline (${sumOf(script)}); once it is changed it is yours, and is not written again.\n${script}`;
}

/** Whether a script is there that is not as it was written. */
function isChanged(path: string): boolean {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return false;
  }
  const seal = SEAL.exec(text);
  return seal === null || seal[1] !== sumOf(text.slice(seal[0].length));
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
