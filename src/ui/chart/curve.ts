import { Series } from "../../core/series.js";

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** Neighbouring points of a curve, of which only what a chart needs is kept. */
interface Group {
  readonly count: number;
  readonly lastX: number;
  /** The least and the largest of its values, so that every peak is drawn; null where none is finite. */
  readonly low: CurvePoint | null;
  readonly high: CurvePoint | null;
  readonly sum: number;
  readonly numFinite: number;
  /** Where the first value stood that is no number. */
  readonly gap: number | null;
}

/**
 * A curve for a chart, thinned as it grows: a group for each point at first, and groups of twice as many whenever there
 * would be too many of them. A frame costs the same then, however long a run is.
 */
export interface Curve {
  /** Full ones, in order of `x`. */
  readonly groups: Series<Group>;
  readonly open: Group | null;
  readonly groupSize: number;
}

/** Twice what the widest terminal has dots for, after they were joined in pairs. */
export const MOST_GROUPS = 2048;

export const EMPTY_CURVE: Curve = { groups: Series.of<Group>([]), open: null, groupSize: 1 };

/** The curve with one more point, further right than all before it. `y` may be no number: a gap. */
export function extendCurve(curve: Curve, x: number, y: number): Curve {
  const { groups, groupSize } = curve.groups.length < MOST_GROUPS ? curve : coarsen(curve);
  const point = groupOf(x, y);
  const open = curve.open === null ? point : join(curve.open, point);
  return open.count < groupSize ? { groups, open, groupSize } : { groups: groups.append(open), open: null, groupSize };
}

/** The curve up to `x`. Of points that were thinned already, a few before it may go as well. */
export function cutCurve({ groups, open, groupSize }: Curve, x: number): Curve {
  let length = groups.length;
  while (length > 0 && groups.at(length - 1)!.lastX > x) length -= 1;
  return { groups: groups.take(length), open: open !== null && open.lastX <= x ? open : null, groupSize };
}

/** The points to be drawn, at most two for a group. */
export function pointsOf(curve: Curve): CurvePoint[] {
  return groupsOf(curve).flatMap(({ low, high }) => {
    if (low === null || high === null) return [];
    if (low === high) return [low];
    return low.x < high.x ? [low, high] : [high, low];
  });
}

/** Where values were no numbers: one place for each group that has one. */
export function gapsOf(curve: Curve): number[] {
  return groupsOf(curve).flatMap(({ gap }) => gap ?? []);
}

/** The mean over the latest `window` points at each group, as far as there are so many. */
export function trailingMean(curve: Curve, window: number): CurvePoint[] {
  const groups = groupsOf(curve).filter(({ numFinite }) => numFinite > 0);
  const within = Math.max(1, Math.round(window / curve.groupSize));
  let sum = 0;
  let count = 0;
  return groups.map((group, index) => {
    const gone = index >= within ? groups[index - within]! : null;
    sum += group.sum - (gone?.sum ?? 0);
    count += group.numFinite - (gone?.numFinite ?? 0);
    return { x: group.lastX, y: sum / count };
  });
}

/** How many values of the curve are numbers, those included that are not drawn. */
export function countPoints(curve: Curve): number {
  return groupsOf(curve).reduce((sum, { numFinite }) => sum + numFinite, 0);
}

function groupsOf({ groups, open }: Curve): Group[] {
  return open === null ? groups.slice(0) : [...groups.slice(0), open];
}

function groupOf(x: number, y: number): Group {
  if (!Number.isFinite(y)) return { count: 1, lastX: x, low: null, high: null, sum: 0, numFinite: 0, gap: x };
  const point = { x, y };
  return { count: 1, lastX: x, low: point, high: point, sum: y, numFinite: 1, gap: null };
}

function join(a: Group, b: Group): Group {
  return {
    count: a.count + b.count,
    lastX: b.lastX,
    low: a.low !== null && (b.low === null || a.low.y <= b.low.y) ? a.low : b.low,
    high: a.high !== null && (b.high === null || a.high.y >= b.high.y) ? a.high : b.high,
    sum: a.sum + b.sum,
    numFinite: a.numFinite + b.numFinite,
    gap: a.gap ?? b.gap,
  };
}

function coarsen({ groups, groupSize }: Curve): Pick<Curve, "groups" | "groupSize"> {
  const pairs = Array.from({ length: groups.length >> 1 }, (_, pair) =>
    join(groups.at(2 * pair)!, groups.at(2 * pair + 1)!),
  );
  return { groups: Series.of(pairs), groupSize: 2 * groupSize };
}
