import type { CategoryFigure, Figure, LineFigure, Series, TimelineFigure } from "../figures/figure.js";

/** x, y, and the ends of an interval; null stands for what is not finite. */
type CompactPoint = readonly (number | null)[];
type CompactValue = readonly [
  category: string,
  value: number,
  low: number | null,
  high: number | null,
  seeds: readonly number[],
];

/** A figure as assets/report/chart.js reads it: points as arrays, with the digits and as many points as can be seen. */
export type CompactFigure =
  | (Omit<LineFigure, "series"> & {
      readonly series: readonly (Omit<Series, "points"> & { readonly points: readonly CompactPoint[] })[];
    })
  | (Omit<CategoryFigure, "groups"> & {
      readonly groups: readonly { readonly name: string; readonly values: readonly CompactValue[] }[];
    })
  | TimelineFigure;

/** Points that a figure of a page has at most: what more there is stands in the CSV file. */
const MOST_POINTS = 6000;
const LEAST_OF_SERIES = 40;

export function compactFigure(figure: Figure): CompactFigure {
  switch (figure.kind) {
    case "timeline":
      return figure;
    case "categories":
      return {
        ...figure,
        groups: figure.groups.map(({ name, values }) => ({ name, values: values.map(compactValue) })),
      };
    case "lines": {
      const numMain = figure.series.filter(({ role }) => role === "main").length;
      const numSeeds = figure.series.length - numMain;
      // Thin lines lie behind the others: half of the detail is enough for them.
      const most = MOST_POINTS / (numMain + numSeeds / 2);
      const series = figure.series.map((one) => {
        const room = Math.max(LEAST_OF_SERIES, Math.floor(one.role === "main" ? most : most / 2));
        const points = one.draws === "line" ? thinned(one.points, room) : one.points;
        return { ...one, points: points.map(compactPoint) };
      });
      return { ...figure, series };
    }
  }
}

function compactPoint({ x, y, low, high }: Series["points"][number]): CompactPoint {
  return low === undefined || high === undefined ? [short(x), short(y)] : [short(x), short(y), short(low), short(high)];
}

function compactValue({
  category,
  value,
  low,
  high,
  seeds,
}: CategoryFigure["groups"][number]["values"][number]): CompactValue {
  return [
    category,
    short(value)!,
    low === undefined ? null : short(low),
    high === undefined ? null : short(high),
    seeds.map((s) => short(s)!),
  ];
}

/** Six digits: more than a pixel and than any number that is read from a figure. */
function short(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

/** Of each stretch of points the lowest and the highest, so that every peak is seen; the first and the last as well. */
export function thinned(points: Series["points"], most: number): Series["points"] {
  if (points.length <= most) return points;
  const size = Math.ceil((2 * points.length) / Math.max(2, most - 2));
  const kept = new Set([0, points.length - 1]);
  for (let start = 0; start < points.length; start += size) {
    const end = Math.min(points.length, start + size);
    let [low, high] = [-1, -1];
    for (let index = start; index < end; index += 1) {
      const { y } = points[index]!;
      if (!Number.isFinite(y)) kept.add(index);
      else {
        if (low === -1 || y < points[low]!.y) low = index;
        if (high === -1 || y > points[high]!.y) high = index;
      }
    }
    if (low !== -1) kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b).map((index) => points[index]!);
}
