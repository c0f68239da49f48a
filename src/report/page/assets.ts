import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PACKAGE_ROOT } from "../../package.js";
import type { CompactFigure } from "./compact-figure.js";

const FOLDER = join(PACKAGE_ROOT, "assets", "report");

interface Chart {
  readonly drawFigure: (figure: CompactFigure, options: { readonly width: number }) => { readonly svg: string };
  readonly styleOf: (index: number) => { readonly color: string; readonly dash: string; readonly shape: number };
  readonly symbol: (shape: number, x: number, y: number, radius: number, classes: string) => string;
}

/** What draws figures in the page, to draw them when it is written too. */
export async function loadChart(): Promise<Chart> {
  const load = (name: string): Promise<unknown> => import(pathToFileURL(join(FOLDER, name)).href);
  const [chart, scale, parts] = await Promise.all([load("chart.js"), load("scale.js"), load("parts.js")]);
  const { drawFigure } = chart as Pick<Chart, "drawFigure">;
  const { styleOf } = scale as Pick<Chart, "styleOf">;
  const { symbol } = parts as Pick<Chart, "symbol">;
  return { drawFigure, styleOf, symbol };
}

/** Modules in an order in which each has what it uses in front of it; together they are one script. */
const SCRIPTS = ["scale.js", "parts.js", "chart.js", "memory.js", "page.js"];

export interface PageAssets {
  readonly style: string;
  readonly script: string;
  /** Allows this style and this script, and nothing else: no request, no other code. */
  readonly policy: string;
}

export function pageAssets(): PageAssets {
  const style = `\n${withoutComments(read("page.css"))}`;
  const script = `\n"use strict";\n(() => {\n${SCRIPTS.map((name) => asOneScript(read(name))).join("\n")}})();\n`;
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return { style, script, policy };
}

function read(name: string): string {
  return readFileSync(join(FOLDER, name), "utf8");
}

function asOneScript(source: string): string {
  return withoutComments(source)
    .replace(/^import [\s\S]*?;\n/gm, "")
    .replace(/^export /gm, "");
}

/** Comments that have lines of their own. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\/\n/gm, "").replace(/^\s*\/\/.*\n/gm, "");
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
