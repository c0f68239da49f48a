import { cellAt, createCanvas, plotDot, plotLine, type Canvas } from "./braille.js";
import { formatNumber } from "../../words/format.js";
import { createScale, roundTicks, type Scale } from "./scale.js";
import type { Role, Segment } from "../../words/role.js";

export interface ChartSeries {
  /** In order of `x`. Values that are not finite are left out. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly role: Role;
  readonly join: boolean;
  /** Written on the curve here and there, so that it is told from others without its colour. */
  readonly letter?: string;
}

/** A vertical line with a label under it. */
export interface ChartMark {
  readonly x: number;
  readonly label: string;
  readonly role: "mark" | "limit";
}

export interface ChartInput {
  /** Characters, axes and labels included. */
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly logarithmic: boolean;
  readonly xLow: number;
  readonly xHigh: number;
  /** Drawn in this order: later ones lie on top. */
  readonly series: readonly ChartSeries[];
  readonly marks: readonly ChartMark[];
  /** Where a value was measured that is not a number: a cross on the x axis. */
  readonly gaps: readonly number[];
  /** Said in the middle of a chart without a point. */
  readonly empty: string;
}

export interface Chart {
  /** Exactly `rows` lines of exactly `columns` characters each. */
  readonly lines: readonly (readonly Segment[])[];
  readonly scale: Scale["name"];
}

interface Glyphs {
  readonly axis: string;
  readonly tick: string;
  readonly corner: string;
  readonly floor: string;
  readonly foot: string;
  readonly gap: string;
  readonly mark: string;
  readonly limit: string;
}

const UNICODE: Glyphs = { axis: "│", tick: "┤", corner: "└", floor: "─", foot: "┴", gap: "×", mark: "┃", limit: "┊" };
const ASCII: Glyphs = { axis: "|", tick: "+", corner: "+", floor: "-", foot: "+", gap: "x", mark: "|", limit: ":" };

/** Rows under the plot: the axis and its labels. */
const AXIS_ROWS = 2;

/** Draws points over updates. Any numbers make a chart; nothing in it is ever wider or taller than asked for. */
export function drawChart(input: ChartInput): Chart {
  const glyphs = input.unicode ? UNICODE : ASCII;
  const plotRows = Math.max(1, input.rows - AXIS_ROWS);
  const finite = input.series.map((series) => ({
    ...series,
    points: series.points.filter(({ x, y }) => Number.isFinite(y) && x >= input.xLow && x <= input.xHigh),
  }));
  const values = finite.flatMap(({ points }) => points.map(({ y }) => y));
  const scale = createScale(values, input.logarithmic);
  const labels = values.length === 0 ? new Map<number, string>() : yLabels(scale, plotRows);
  const margin = Math.min(Math.max(4, ...[...labels.values()].map((label) => label.length)), input.columns - 2);
  const plotColumns = Math.max(1, input.columns - margin - 1);
  const canvas = createCanvas(plotColumns, plotRows, input.unicode);
  const dotX = (x: number): number => Math.round(shareOf(x, input) * (canvas.width - 1));
  const dotY = (y: number): number => Math.round((1 - scale.shareOf(y)) * (canvas.height - 1));
  for (const { points, role, join } of finite) {
    const dots = points.map(({ x, y }) => [dotX(x), dotY(y)] as const);
    dots.forEach((dot, index) => {
      const before = dots[index - 1];
      if (join && before !== undefined) plotLine(canvas, before, dot, role);
      else plotDot(canvas, ...dot, role);
      // A lone braille dot is hardly seen; where there is room it is two dots wide.
      if (!join && input.unicode && dots.length < plotColumns) plotDot(canvas, dot[0] + 1, dot[1], role);
    });
  }
  const columnOf = (x: number): number => Math.round(shareOf(x, input) * (plotColumns - 1));
  const marks = new Map(input.marks.filter((mark) => inside(mark.x, input)).map((mark) => [columnOf(mark.x), mark]));
  const letters = lettersOn(finite, plotColumns, plotRows, columnOf, (y) => (1 - scale.shareOf(y)) * (plotRows - 1));
  const lines = Array.from({ length: plotRows }, (_, row) => {
    const label = (labels.get(row) ?? "").slice(0, margin).padStart(margin);
    const axis = labels.has(row) ? glyphs.tick : glyphs.axis;
    const said = values.length === 0 && row === plotRows >> 1 ? input.empty : null;
    return [{ text: label + axis, role: "dim" } as const, ...plotRow({ canvas, row, marks, glyphs, letters }, said)];
  });
  const floor = {
    text: " ".repeat(margin) + floorRow(input, plotColumns, marks, columnOf, glyphs),
    role: "dim",
  } as const;
  const under = [
    { text: " ".repeat(margin + 1), role: "dim" } as const,
    ...labelRow(input, plotColumns, marks, columnOf),
  ];
  return { lines: [...lines, [floor], under].slice(0, input.rows), scale: scale.name };
}

function inside(x: number, { xLow, xHigh }: ChartInput): boolean {
  return x >= xLow && x <= xHigh;
}

function shareOf(x: number, { xLow, xHigh }: ChartInput): number {
  return xHigh > xLow ? (x - xLow) / (xHigh - xLow) : 0;
}

/** Labels of the top, the bottom and, where there is room, the middle row. */
function yLabels(scale: Scale, plotRows: number): Map<number, string> {
  if (plotRows === 1 || scale.low === scale.high) return new Map([[plotRows >> 1, formatNumber(scale.low)]]);
  const labels = new Map([
    [0, formatNumber(scale.high)],
    [plotRows - 1, formatNumber(scale.low)],
  ]);
  const middle = (plotRows - 1) >> 1;
  if (plotRows >= 7) labels.set(middle, formatNumber(scale.valueAt(1 - middle / (plotRows - 1))));
  return labels;
}

/** One row of the plot: curves over marks over nothing, neighbours of one meaning joined. */
function plotRow(
  {
    canvas,
    row,
    marks,
    glyphs,
    letters,
  }: {
    readonly canvas: Canvas;
    readonly row: number;
    readonly marks: ReadonlyMap<number, ChartMark>;
    readonly glyphs: Glyphs;
    readonly letters: ReadonlyMap<string, Segment>;
  },
  said: string | null,
): Segment[] {
  if (said !== null) return [{ text: ` ${said}`.slice(0, canvas.columns).padEnd(canvas.columns), role: "dim" }];
  const cells = Array.from({ length: canvas.columns }, (_, column): Segment => {
    const mark = marks.get(column);
    const under: Segment =
      mark === undefined ? { text: " ", role: "plain" } : { text: glyphs[mark.role], role: mark.role };
    return letters.get(`${column} ${row}`) ?? cellAt(canvas, column, row) ?? under;
  });
  return joinSegments(cells);
}

/** Columns between two letters on one curve. */
const LETTER_COLUMNS = 16;

/** The letters of the curves by column and row: at its end, and at places where those of other curves are not. */
function lettersOn(
  series: readonly ChartSeries[],
  plotColumns: number,
  plotRows: number,
  columnOf: ColumnOf,
  rowOf: (y: number) => number,
): ReadonlyMap<string, Segment> {
  const cells = new Map<string, Segment>();
  const lettered = series.filter(({ letter }) => letter !== undefined);
  lettered.forEach(({ points, letter, role }, index) => {
    const apart = Math.round((index * LETTER_COLUMNS) / lettered.length);
    let next = apart;
    points.forEach(({ x, y }, place) => {
      const column = columnOf(x);
      if (column < next && place < points.length - 1) return;
      const row = Math.min(plotRows - 1, Math.max(0, Math.round(rowOf(y))));
      const at = `${Math.min(column, plotColumns - 1)} ${row}`;
      if (!cells.has(at)) cells.set(at, { text: letter!, role });
      next = column + LETTER_COLUMNS;
    });
  });
  return cells;
}

/** Joins neighbours of one role: fewer segments make fewer escape sequences. */
export function joinSegments(cells: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const cell of cells) {
    const last = joined.at(-1);
    if (last?.role === cell.role) joined[joined.length - 1] = { text: last.text + cell.text, role: cell.role };
    else joined.push(cell);
  }
  return joined;
}

type ColumnOf = (x: number) => number;

function floorRow(
  input: ChartInput,
  plotColumns: number,
  marks: ReadonlyMap<number, ChartMark>,
  columnOf: ColumnOf,
  glyphs: Glyphs,
): string {
  const floor = new Array<string>(plotColumns).fill(glyphs.floor);
  for (const column of marks.keys()) floor[column] = glyphs.foot;
  for (const gap of input.gaps) if (inside(gap, input)) floor[columnOf(gap)] = glyphs.gap;
  return glyphs.corner + floor.join("");
}

/** Labels under the axis: marks first, then the ends, then round numbers where they fit. */
function labelRow(
  input: ChartInput,
  plotColumns: number,
  marks: ReadonlyMap<number, ChartMark>,
  columnOf: ColumnOf,
): Segment[] {
  const cells = new Array<Segment>(plotColumns).fill({ text: " ", role: "dim" });
  const place = (text: string, column: number, role: Role): void => {
    const start = Math.min(Math.max(0, column - (text.length >> 1)), plotColumns - text.length);
    if (start < 0) return;
    const around = cells.slice(Math.max(0, start - 1), start + text.length + 1);
    if (around.some((cell) => cell.text !== " ")) return;
    Array.from(text).forEach((character, index) => {
      cells[start + index] = { text: character, role };
    });
  };
  for (const [column, mark] of marks) place(mark.label, column, mark.role);
  for (const end of [input.xHigh, input.xLow]) place(String(end), columnOf(end), "dim");
  const ticks = roundTicks(input.xLow, input.xHigh, Math.max(1, Math.floor(plotColumns / 12)));
  for (const tick of ticks) place(formatNumber(tick, 6), columnOf(tick), "dim");
  return joinSegments(cells);
}
