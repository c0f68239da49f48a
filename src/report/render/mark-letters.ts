import { joinMarks, type Mark } from "../tables/marks.js";
import type { Cell, Table } from "../tables/table.js";

/** A table's marks as letters, each once: at the heading of a column, or the label of a row, where all of it has them. */
export interface MarkLetters {
  readonly legend: readonly { readonly letter: string; readonly words: string }[];
  readonly ofColumn: readonly string[];
  readonly ofRow: readonly string[];
  /** Those that neither its heading nor its label has, by row and column. */
  readonly ofCell: readonly (readonly string[])[];
}

export function markLetters({ columns, rows }: Table): MarkLetters {
  const marks = joinMarks(...rows.flatMap((row) => [row.marks, ...row.cells.map((cell) => cell.marks)]));
  const letterOf = new Map(marks.map(({ code }, index) => [code, String.fromCharCode(97 + index)]));
  const letters = (list: readonly Mark[]): string =>
    joinMarks(list)
      .map(({ code }) => letterOf.get(code)!)
      .join(",");
  const ofColumns = columns.map((_, index) => commonMarks(rows.map(({ cells }) => cells[index]!)));
  const rest = rows.map(({ cells }) =>
    cells.map((cell, index) => ({ ...cell, marks: without(cell.marks, ofColumns[index]!) })),
  );
  const ofRows = rows.map((row, index) => [...row.marks, ...commonMarks(rest[index]!)]);
  return {
    legend: marks.map(({ code, words }) => ({ letter: letterOf.get(code)!, words })),
    ofColumn: ofColumns.map(letters),
    ofRow: ofRows.map(letters),
    ofCell: rest.map((cells, row) => cells.map(({ marks: own }) => letters(without(own, ofRows[row]!)))),
  };
}

/** Marks of every cell that says something, where there are several. */
function commonMarks(cells: readonly Cell[]): Mark[] {
  const [first, ...others] = cells.filter(isSaying);
  if (first === undefined || others.length === 0) return [];
  return first.marks.filter((mark) => others.every(({ marks }) => without([mark], marks).length === 0));
}

function isSaying({ value, text, points }: Cell): boolean {
  return value !== null || text !== null || points.length > 0;
}

function without(marks: readonly Mark[], others: readonly Mark[]): Mark[] {
  return marks.filter(({ code }) => !others.some((other) => other.code === code));
}
