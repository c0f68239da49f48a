import { Series } from "./series.js";
import type { SeriesPoint } from "./state.js";

/** The points of one metric in the order of updates, by their updates. */
export type PointSeries = Series<SeriesPoint>;

export function pointSeries(points: Iterable<SeriesPoint>): PointSeries {
  return Series.of([...points].sort(byUpdate), ({ update }) => update);
}

/** With one point more. A boundary that was cut short and is measured later may lie before others. */
export function withPoint(points: PointSeries, point: SeriesPoint): PointSeries {
  const last = points.at(-1);
  return last === undefined || last.update < point.update ? points.append(point) : pointSeries([...points, point]);
}

/** The points up to and including boundary `update`. */
export function pointsUntil(points: PointSeries, update: number): PointSeries {
  let length = points.length;
  while (length > 0 && points.at(length - 1)!.update > update) length -= 1;
  return points.take(length);
}

function byUpdate(a: SeriesPoint, b: SeriesPoint): number {
  return a.update - b.update;
}
