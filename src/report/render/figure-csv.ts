import type { Figure } from "../figures/figure.js";

type Cell = string | number | undefined;

/** The numbers of a figure in full precision, in long form: `pd.read_csv` reads it without options. */
export function figureCsv(figure: Figure): string {
  return `${rowsOf(figure)
    .map((row) => row.map(cellText).join(","))
    .join("\n")}\n`;
}

function rowsOf(figure: Figure): Cell[][] {
  switch (figure.kind) {
    case "lines": {
      const { x, y, series } = figure;
      const header = ["group", "series", "role", x.column, y.column, "low", "high"];
      const rows = series.flatMap(({ group, name, role, points }) =>
        points.map((point): Cell[] => [group, name, role, point.x, point.y, point.low, point.high]),
      );
      return [header, ...rows];
    }
    case "categories": {
      const header = ["group", figure.column, "role", figure.value.column, "low", "high"];
      const rows = figure.groups.flatMap(({ name, values }) =>
        values.flatMap(({ category, value, low, high, seeds }): Cell[][] => [
          [name, category, "main", value, low, high],
          ...seeds.map((seed): Cell[] => [name, category, "seed", seed, undefined, undefined]),
        ]),
      );
      return [header, ...rows];
    }
    case "timeline": {
      const rows = figure.rows.flatMap(({ name, spans }) =>
        spans.map(({ from, to, state }): Cell[] => [name, state, from, to]),
      );
      return [["block", "state", "from", "to"], ...rows];
    }
  }
}

function cellText(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return Number.isNaN(cell) ? "nan" : String(cell);
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
