import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Figure } from "../figures/figure.js";
import { FONT_FAMILY, textWidth } from "./font.js";
import type { Spec } from "./vega-axes.js";
import { vegaSpec } from "./vega-spec.js";

interface TextMetrics {
  width: (item: Readonly<{ text?: unknown; fontSize?: number }>, text?: unknown) => number;
}

/**
 * Without a canvas vega estimates the width of texts, and then cuts legends that fit and leaves margins too wide. The
 * widths of the font that the pictures are drawn with are known.
 */
(vega as unknown as { textMetrics: TextMetrics }).textMetrics.width = (item, text) =>
  textWidth(wordsOf(text ?? item.text), item.fontSize ?? 11);

function wordsOf(text: unknown): string {
  return typeof text === "string" || typeof text === "number" ? String(text) : "";
}

export interface Picture {
  readonly spec: Spec;
  readonly svg: string;
}

/** A figure as a vega-lite specification, and as what that looks like. */
export async function drawWithVega(figure: Figure): Promise<Picture> {
  const spec = vegaSpec(figure);
  const { spec: parsed } = compile(spec as unknown as TopLevelSpec, { logger: SILENT });
  const view = new vega.View(vega.parse(parsed), { renderer: "none", logger: SILENT });
  const svg = await view.toSVG();
  view.finalize();
  // The renderer of PNG knows no generic family; a browser without the font takes its own.
  return { spec, svg: svg.replaceAll(`"${FONT_FAMILY}"`, `"${FONT_FAMILY}, sans-serif"`) };
}

/** Warnings of vega are about its own specification: nothing that a reader of a report could change. */
const SILENT: vega.LoggerInterface = {
  level(): never {
    return SILENT as never;
  },
  error(...args: readonly unknown[]) {
    throw new Error(args.map(String).join(" "));
  },
  warn: () => SILENT,
  info: () => SILENT,
  debug: () => SILENT,
};
