/** Draws a terminal frame as an SVG picture. Pure. Dots and lines are drawn as shapes, since fonts differ in those glyphs. */

interface Cell {
  readonly character: string;
  readonly color: string;
  readonly opacity: number;
  readonly bold: boolean;
}

type Pen = Omit<Cell, "character">;

const BACKGROUND = "#16181d";
const FOREGROUND = "#d6d9e0";
const NORMAL = ["#4b5263", "#e06c75", "#8fc77f", "#d9b566", "#6aa8e8", "#c586d8", "#56b6c2", "#c8ccd4"];
const BRIGHT = ["#6b7385", "#ff8791", "#a8e08f", "#f2cf7a", "#8cc4ff", "#e5a0f5", "#7fe0ec", "#ffffff"];
const DIM_OPACITY = 0.6;

const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 17;
const FONT_SIZE = 14;
const MARGIN = 14;

const PLAIN: Pen = { color: FOREGROUND, opacity: 1, bold: false };

/** @param ansi the frame's lines, with SGR sequences of the 16 colours, bold and dim; others are ignored */
export function frameToSvg(ansi: string, { columns, rows }: { columns: number; rows: number }): string {
  const lines = ansi.split("\n").slice(0, rows).map(parseLine);
  const [width, height] = [columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN].map(round);
  const shapes = lines.flatMap((cells, row) => drawRow(cells.slice(0, columns), row));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}" xml:space="preserve">`,
    ...shapes,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** An SGR sequence, or text up to the next one. */
const STYLED_TEXT = /\p{Cc}\[([\d;]*)m|(\P{Cc}+)/gu;

function parseLine(line: string): Cell[] {
  const cells: Cell[] = [];
  let pen = PLAIN;
  for (const [, codes, text] of line.matchAll(STYLED_TEXT)) {
    if (codes !== undefined) pen = codes.split(";").map(Number).reduce(changePen, pen);
    for (const character of text ?? "") cells.push({ character, ...pen });
  }
  return cells;
}

function changePen(pen: Pen, code: number): Pen {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...pen, bold: true };
  if (code === 2) return { ...pen, opacity: DIM_OPACITY };
  if (code === 22) return { ...pen, bold: false, opacity: 1 };
  if (code === 39) return { ...pen, color: FOREGROUND };
  return { ...pen, color: NORMAL[code - 30] ?? BRIGHT[code - 90] ?? pen.color };
}

function drawRow(cells: readonly Cell[], row: number): string[] {
  const top = MARGIN + row * CELL_HEIGHT;
  const shapes: string[] = [];
  let start = 0;
  while (start < cells.length) {
    const first = cells[start]!;
    const left = MARGIN + start * CELL_WIDTH;
    const shape = drawDots(first, left, top) ?? drawLines(first, left, top) ?? drawSquare(first, left, top);
    let end = start + 1;
    if (shape === null) {
      while (end < cells.length && continues(first, cells[end]!)) end += 1;
      shapes.push(...drawText(cells.slice(start, end), left, top));
    } else {
      shapes.push(shape);
    }
    start = end;
  }
  return shapes;
}

function continues(first: Cell, next: Cell): boolean {
  const same = first.color === next.color && first.opacity === next.opacity && first.bold === next.bold;
  return same && !isBraille(next.character) && LINES[next.character] === undefined && !SQUARES.has(next.character);
}

function drawText(cells: readonly Cell[], left: number, top: number): string[] {
  const text = cells.map(({ character }) => character).join("");
  if (text.trim() === "") return [];
  const skipped = text.length - text.trimStart().length;
  const { bold } = cells[0]!;
  const shown = text.trim();
  const x = round(left + skipped * CELL_WIDTH);
  const length = round(Array.from(shown).length * CELL_WIDTH);
  const weight = bold ? ' font-weight="bold"' : "";
  const place = `x="${x}" y="${round(top + CELL_HEIGHT - 4.5)}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  return [`<text ${place}${weight} ${ink("fill", cells[0]!)}>${escapeXml(shown)}</text>`];
}

function isBraille(character: string): boolean {
  return character >= "\u2801" && character <= "\u28ff";
}

/** Column and row of each bit of a braille character. */
const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
] as const;

function drawDots(cell: Cell, left: number, top: number): string | null {
  if (!isBraille(cell.character)) return null;
  const bits = cell.character.charCodeAt(0) - 0x2800;
  const radius = cell.bold ? 1.55 : 1.25;
  const circles = DOTS.filter((_, bit) => (bits >> bit) & 1).map(([column, row]) => {
    const [x, y] = [left + (column + 0.5) * (CELL_WIDTH / 2), top + (row + 0.5) * (CELL_HEIGHT / 4)];
    return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}"/>`;
  });
  return `<g ${ink("fill", cell)}>${circles.join("")}</g>`;
}

/** Arms of box glyphs from the middle of the cell: left, right, up, down; then width and dashes. */
const LINES: Readonly<Record<string, { readonly arms: string; readonly width: number; readonly dashes?: string }>> = {
  "─": { arms: "lr", width: 1 },
  "━": { arms: "lr", width: 3 },
  "│": { arms: "ud", width: 1 },
  "┃": { arms: "ud", width: 2.4 },
  "┊": { arms: "ud", width: 1, dashes: "2 3" },
  "┤": { arms: "lud", width: 1 },
  "└": { arms: "ru", width: 1 },
  "┴": { arms: "lru", width: 1 },
};

function drawLines(cell: Cell, left: number, top: number): string | null {
  const glyph = LINES[cell.character];
  if (glyph === undefined) return null;
  const [x, y] = [round(left + CELL_WIDTH / 2), round(top + CELL_HEIGHT / 2)];
  const ends: Record<string, string> = {
    l: `H${round(left)}`,
    r: `H${round(left + CELL_WIDTH)}`,
    u: `V${round(top)}`,
    d: `V${round(top + CELL_HEIGHT)}`,
  };
  const path = Array.from(glyph.arms, (arm) => `M${x} ${y}${ends[arm]}`).join("");
  const dashes = glyph.dashes === undefined ? "" : ` stroke-dasharray="${glyph.dashes}"`;
  return `<path d="${path}" stroke-width="${glyph.width}"${dashes} ${ink("stroke", cell)}/>`;
}

const SQUARES = new Set(["■", "□"]);

function drawSquare(cell: Cell, left: number, top: number): string | null {
  if (!SQUARES.has(cell.character)) return null;
  const side = CELL_WIDTH - 1.4;
  const place = `x="${round(left + 0.7)}" y="${round(top + (CELL_HEIGHT - side) / 2)}" width="${side}" height="${side}"`;
  const fill = cell.character === "■" ? ink("fill", cell) : `fill="none" ${ink("stroke", cell)}`;
  return `<rect ${place} ${fill}/>`;
}

function ink(attribute: "fill" | "stroke", { color, opacity }: Cell): string {
  return `${attribute}="${color}"${opacity === 1 ? "" : ` opacity="${opacity}"`}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
