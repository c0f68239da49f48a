import { printable } from "../../printable.js";
import type { Cell, Column, Table } from "../tables/table.js";

/** One line for a cell and one for each of its points, every number with all its digits, shares as shares of 1. */
const HEADINGS = [
  "table",
  "row",
  "column",
  "unit",
  "origin",
  "kind",
  "seed",
  "value",
  "standard_deviation",
  "n",
  "lower",
  "upper",
  "level",
  "text",
  "marks",
] as const;

/** What pandas takes for a missing value where it is a whole field, unless told otherwise. */
const MISSING = new Set(
  "#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null".split(","),
);

type Line = Readonly<Record<(typeof HEADINGS)[number], string>>;

/** Long form: opens with `pd.read_csv` without options. */
export function renderCsv(table: Table): string {
  const lines = table.rows.flatMap(({ label, marks, cells }) =>
    cells.flatMap((cell, index) => linesOf(table.name, label, table.columns[index]!, withMarks(cell, marks))),
  );
  const rows = lines.map((line) => HEADINGS.map((name) => quoted(line[name])).join(","));
  return `${[HEADINGS.join(","), ...rows].join("\n")}\n`;
}

function withMarks(cell: Cell, marks: Cell["marks"]): Cell {
  return marks.length === 0 ? cell : { ...cell, marks: [...marks, ...cell.marks] };
}

function linesOf(table: string, row: string, { key, unit, origin }: Column, cell: Cell): Line[] {
  const common = { table, row: word(row), column: word(key), unit, origin };
  const marks = [...new Set(cell.marks.map(({ code }) => code))].join(" ");
  const rest = { n: "", standard_deviation: "", lower: "", upper: "", level: "", text: "", marks };
  const whole: Line = {
    ...common,
    kind: "cell",
    seed: "",
    value: digits(cell.value),
    standard_deviation: digits(cell.standardDeviation),
    n: digits(cell.n),
    lower: digits(cell.interval?.lower ?? null),
    upper: digits(cell.interval?.upper ?? null),
    level: digits(cell.interval?.level ?? null),
    text: word(cell.text ?? ""),
    marks,
  };
  const points = cell.points.map(({ seed, value }): Line => {
    return { ...common, ...rest, kind: "point", seed: digits(seed), value: digits(value) };
  });
  return [whole, ...points];
}

/** All digits that the number has: reading it gives the same number. */
function digits(value: number | null): string {
  return value === null ? "" : String(value);
}

function word(text: string): string {
  const shown = printable(text);
  return MISSING.has(shown) ? `"${shown}"` : shown;
}

function quoted(field: string): string {
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
