import { decimalsOf, inUnit } from "./number-words.js";
import type { Cell, Column, Table } from "./table.js";

export type Rank = "best" | "second" | null;

/**
 * By row and column: which means are the best and the second best of their column, as far as the shown digits tell.
 * Equal ones share a rank. Nothing is the best of one.
 */
export function ranksOf({ columns, rows }: Table, digits?: number): Rank[][] {
  const byColumn = columns.map((column, index) =>
    ranksIn(
      column,
      rows.map(({ cells }) => cells[index]!),
      digits,
    ),
  );
  return rows.map((_, row) => byColumn.map((ranks) => ranks[row]!));
}

function ranksIn(column: Column, cells: readonly Cell[], digits?: number): Rank[] {
  const { better, origin } = column;
  if (better === null || origin === "paper") return cells.map(() => null);
  const decimals = decimalsOf(column, digits);
  const shown = cells.map(({ value }) =>
    value === null ? null : Number(inUnit(value, column.unit).toFixed(decimals)),
  );
  const known = shown.filter((value) => value !== null);
  const different = [...new Set(known)].sort((a, b) => (better === "higher" ? b - a : a - b));
  if (different.length < 2) return cells.map(() => null);
  return shown.map((value) => (value === different[0] ? "best" : value === different[1] ? "second" : null));
}
