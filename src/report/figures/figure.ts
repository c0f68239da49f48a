/**
 * Figures as plain data: what is drawn, without a word on how. Vega-lite specifications, pictures, the page, CSV files and
 * scripts are renderings of it and know nothing of runs.
 */

export interface Axis {
  readonly title: string;
  /** Name of its column in the CSV file. */
  readonly column: string;
  readonly scale: "linear" | "log";
  /** `share`: shares of 1, printed as percentages; `points`: differences of shares, printed as percentage points. */
  readonly format: "number" | "share" | "points";
}

/** `low` and `high` are the ends of an interval or an error; they come together. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  /** Unique in its figure. */
  readonly name: string;
  /** Entry of the legend, with a colour and a line style of its own: the condition, where seeds have lines. */
  readonly group: string;
  /** `seed`: a thin line behind the others, without an entry of its own. */
  readonly role: "main" | "seed";
  readonly draws: "line" | "steps" | "points";
  /** In order of x. Not a number: a gap. */
  readonly points: readonly Point[];
}

/** A line across the figure: a decision (`x`), or a value to compare with (`y`). */
export interface Rule {
  readonly axis: "x" | "y";
  readonly at: number;
  readonly label: string;
  /** Group whose colour it has; null: that of the text. */
  readonly group: string | null;
  readonly kind: "decision" | "hindsight" | "limit" | "reference";
}

interface Described {
  /** Name of its files. */
  readonly id: string;
  readonly title: string;
  /** What a reader has to know of the numbers: how they were measured, marks, what is missing and what makes it. */
  readonly caption: readonly string[];
}

export interface LineFigure extends Described {
  readonly kind: "lines";
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly rules: readonly Rule[];
}

/** One value of a category: its mean, an interval where there is one, and the values behind it. */
export interface CategoryValue {
  readonly category: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  /** Of the single seeds; empty where the value is one run's. */
  readonly seeds: readonly number[];
}

/** `bars`: one group, drawn from 0; `dots`: means with intervals, the values of seeds behind them. */
export interface CategoryFigure extends Described {
  readonly kind: "categories";
  readonly draws: "bars" | "dots";
  /** Column of the categories in the CSV file. */
  readonly column: string;
  readonly value: Axis;
  /** From the top down. */
  readonly categories: readonly string[];
  readonly groups: readonly { readonly name: string; readonly values: readonly CategoryValue[] }[];
  readonly rules: readonly Rule[];
}

export type SpanState = "frozen" | "warming up" | "training";

/** From update `from` up to and including `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly state: SpanState;
}

export interface TimelineFigure extends Described {
  readonly kind: "timeline";
  readonly x: Axis;
  /** From the top down. */
  readonly rows: readonly { readonly name: string; readonly spans: readonly Span[] }[];
  readonly rules: readonly Rule[];
}

export type Figure = LineFigure | CategoryFigure | TimelineFigure;

export const UPDATES: Axis = { title: "update", column: "update", scale: "linear", format: "number" };

/** The groups of a figure in the order of the legend. */
export function groupsOf(figure: Figure): string[] {
  if (figure.kind === "timeline") return [];
  const names = figure.kind === "lines" ? figure.series.map(({ group }) => group) : figure.groups.map((g) => g.name);
  return [...new Set(names)];
}

/** A name that may stand in the names of files and columns: `probe/tr(F)` becomes `probe-tr-F`. */
export function fileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return plain === "" ? "figure" : plain.slice(0, 80);
}
