import { bounds, fixed, signed } from "./number-words.js";
import type { Cell, Column } from "./table.js";

/** What a cell of numbers shows where a plus-minus sign may be written, before it is marked as the best of its column. */
export interface CellText {
  readonly text: string;
  /** Whether it is a mean, of which one of a column is the best. */
  readonly isMean: boolean;
}

/** A cell without words of its own: points, a difference or a mean with its interval, or a mean with its spread. */
export function cellText(
  { value, standardDeviation, interval, points }: Cell,
  column: Column,
  decimals: number,
): CellText {
  if (column.shown === "points") {
    return { text: points.map((point) => fixed(point.value, column, decimals)).join(", ") || "-", isMean: false };
  }
  if (value === null) return { text: "-", isMean: false };
  if (column.shown === "difference" || column.shown === "interval") {
    const isDifference = column.shown === "difference";
    const centre = (isDifference ? signed : fixed)(value, column, decimals);
    const range = interval === null ? "" : ` [${bounds(interval, column, decimals, isDifference).join(", ")}]`;
    return { text: `${centre}${range}`, isMean: false };
  }
  const spread = standardDeviation === null ? "" : ` ± ${fixed(standardDeviation, column, decimals)}`;
  return { text: `${fixed(value, column, decimals)}${spread}`, isMean: true };
}
