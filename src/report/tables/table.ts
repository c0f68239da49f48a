import type { Interval } from "../../statistics/intervals.js";
import type { Mark } from "./marks.js";

/** What numbers of a column are: shares of 1 (shown in per cent), updates, counts, or plain numbers. */
export type Unit = "share" | "updates" | "count" | "number";

/** What of its cells a column shows; the others can be had from the data. */
export type Shown = "mean" | "difference" | "interval" | "points" | "text";

export interface Column {
  /** The same from table to table, such as `ood/mean` or `gain`. */
  readonly key: string;
  readonly heading: string;
  readonly unit: Unit;
  readonly shown: Shown;
  /** Whether high values are good, so that the best can be told; null where nothing is better. */
  readonly better: "higher" | "lower" | null;
  /** The paper's own values stand in columns of their own. */
  readonly origin: "measured" | "paper";
}

/** A value of one seed; `seed` is null where it is of none. */
export interface Point {
  readonly seed: number | null;
  readonly value: number;
}

/** Numbers are finite. Null, or empty, is what is not known or has no meaning. */
export interface Cell {
  /** The mean, where it is of several runs. */
  readonly value: number | null;
  readonly standardDeviation: number | null;
  readonly n: number | null;
  readonly interval: Interval | null;
  readonly points: readonly Point[];
  /** In the place of numbers. */
  readonly text: string | null;
  readonly marks: readonly Mark[];
}

export interface Row {
  readonly label: string;
  readonly marks: readonly Mark[];
  /** One a column. */
  readonly cells: readonly Cell[];
}

/** A table as what it says, not how it looks. Texts may come from outside: renderers escape them. */
export interface Table {
  /** Letters, digits and `-`: of a file, or of a label. */
  readonly name: string;
  readonly caption: string;
  /** What the first column, the labels, is of. */
  readonly stub: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** What a reader has to know, a sentence each. */
  readonly notes: readonly string[];
  /** Names of the sweeps that it was made from. */
  readonly sources: readonly string[];
}

const NOTHING: Cell = {
  value: null,
  standardDeviation: null,
  n: null,
  interval: null,
  points: [],
  text: null,
  marks: [],
};

export function cell(parts: Partial<Cell> = {}): Cell {
  return { ...NOTHING, ...parts };
}

export function column(key: string, heading: string, rest: Partial<Omit<Column, "key" | "heading">> = {}): Column {
  return { key, heading, unit: "share", shown: "mean", better: null, origin: "measured", ...rest };
}
