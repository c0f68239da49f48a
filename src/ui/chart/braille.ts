import type { Role, Segment } from "../../words/role.js";

/**
 * A grid of dots that becomes rows of characters: 2 x 4 dots a character in braille, one dot a character in ASCII.
 * Dots are counted from the top left; what lies outside is not drawn.
 */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  /** Dots, not characters. */
  readonly width: number;
  readonly height: number;
  readonly braille: boolean;
  /** Per character: the dots set, as braille numbers them. */
  readonly bits: Uint8Array;
  /** Per character: the meaning of what was drawn last, since a character has one colour. */
  readonly roles: (Role | null)[];
}

/** Bit of each dot of a braille character (Unicode 2800 ff.), by row and column. */
const DOT_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

const BRAILLE_BASE = 0x2800;

/** In ASCII measured points and their mean differ by glyph, as they do by density in braille. */
const ASCII_GLYPHS: Partial<Record<Role, string>> = { raw: ".", average: "*", loss: "*" };

export function createCanvas(columns: number, rows: number, braille: boolean): Canvas {
  const cells = columns * rows;
  return {
    columns,
    rows,
    width: braille ? columns * 2 : columns,
    height: braille ? rows * 4 : rows,
    braille,
    bits: new Uint8Array(cells),
    roles: new Array<Role | null>(cells).fill(null),
  };
}

/** Sets one dot; `x` and `y` are whole numbers. */
export function plotDot(canvas: Canvas, x: number, y: number, role: Role): void {
  if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) return;
  const [column, row] = canvas.braille ? [x >> 1, y >> 2] : [x, y];
  const cell = row * canvas.columns + column;
  canvas.bits[cell]! |= canvas.braille ? DOT_BITS[y & 3]![x & 1]! : 1;
  canvas.roles[cell] = role;
}

/** Sets the dots of a straight line, both ends included (Bresenham). */
export function plotLine(
  canvas: Canvas,
  from: readonly [number, number],
  to: readonly [number, number],
  role: Role,
): void {
  let [x, y] = from;
  const [stepX, stepY] = [Math.sign(to[0] - x), Math.sign(to[1] - y)];
  const [spanX, spanY] = [Math.abs(to[0] - x), Math.abs(to[1] - y)];
  let error = spanX - spanY;
  for (let left = Math.max(spanX, spanY); left >= 0; left -= 1) {
    plotDot(canvas, x, y, role);
    const doubled = error * 2;
    if (doubled > -spanY) {
      error -= spanY;
      x += stepX;
    }
    if (doubled < spanX) {
      error += spanX;
      y += stepY;
    }
  }
}

/** The character of one cell, or null where nothing was drawn. */
export function cellAt(canvas: Canvas, column: number, row: number): Segment | null {
  const cell = row * canvas.columns + column;
  const bits = canvas.bits[cell] ?? 0;
  if (bits === 0) return null;
  const role = canvas.roles[cell] ?? "plain";
  return { text: canvas.braille ? String.fromCharCode(BRAILLE_BASE + bits) : (ASCII_GLYPHS[role] ?? "*"), role };
}
