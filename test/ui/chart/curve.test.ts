import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countPoints,
  cutCurve,
  EMPTY_CURVE,
  extendCurve,
  gapsOf,
  MOST_GROUPS,
  pointsOf,
  trailingMean,
  type Curve,
} from "../../../src/ui/chart/curve.js";

function curveOf(values: readonly number[]): Curve {
  return values.reduce((curve, y, x) => extendCurve(curve, x, y), EMPTY_CURVE);
}

const value = fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) }, fc.constant(NaN));

describe("a curve", () => {
  it("that is short is drawn point by point, gaps apart", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const all = values.map((y, x) => ({ x, y }));
        expect(pointsOf(curveOf(values))).toEqual(all.filter(({ y }) => !Number.isNaN(y)));
        expect(gapsOf(curveOf(values))).toEqual(all.filter(({ y }) => Number.isNaN(y)).map(({ x }) => x));
        expect(trailingMean(curveOf(values), 1).map(({ x }) => x)).toEqual(pointsOf(curveOf(values)).map(({ x }) => x));
      }),
    );
  });

  it.each([MOST_GROUPS, 3 * MOST_GROUPS, 20 * MOST_GROUPS + 5])(
    "of %i points has a bounded number of them, in order, and every peak and gap",
    (length) => {
      const peak = Math.floor(length * 0.37);
      const values = Array.from({ length }, (_, x) => Math.sin(x / 50));
      values[peak] = 17;
      values[peak + 1] = -17;
      values[peak + 2] = NaN;
      const curve = curveOf(values);
      const points = pointsOf(curve);
      expect(points.length).toBeLessThanOrEqual(2 * (MOST_GROUPS + 1));
      expect(points.length).toBeGreaterThanOrEqual(Math.min(length - 1, MOST_GROUPS));
      for (const [index, { x }] of points.slice(1).entries()) expect(x).toBeGreaterThan(points[index]!.x);
      expect(points).toContainEqual({ x: peak, y: 17 });
      expect(points).toContainEqual({ x: peak + 1, y: -17 });
      expect(gapsOf(curve)).toEqual([peak + 2]);
      expect(countPoints(curve)).toBe(length - 1);
    },
  );

  it("visits few groups a point as it grows: one, and all of them only when it is thinned", () => {
    let curve = EMPTY_CURVE;
    let thinned = 0;
    for (let x = 0; x < 20 * MOST_GROUPS; x += 1) {
      const next = extendCurve(curve, x, 0);
      if (!next.groups.continues(curve.groups)) thinned += 1;
      curve = next;
    }
    // 20 times the most groups there may be: halved five times.
    expect(thinned).toBe(5);
  });

  it("says the mean over the latest points, those included that are not drawn", () => {
    const length = 4 * MOST_GROUPS;
    const means = trailingMean(curveOf(Array.from({ length }, (_, x) => x)), 400);
    expect(means.at(-1)).toEqual({ x: length - 1, y: expect.closeTo(length - 1 - 199.5, 6) as number });
    expect(trailingMean(curveOf([1, 2, 4, 8]), 2)).toEqual([
      { x: 0, y: 1 },
      { x: 1, y: 1.5 },
      { x: 2, y: 3 },
      { x: 3, y: 6 },
    ]);
  });

  it("is cut where a script went back, and goes on from there", () => {
    const curve = curveOf([1, 2, 3, 4]);
    const cut = extendCurve(cutCurve(curve, 1), 2, 30);
    expect(pointsOf(cut).map(({ y }) => y)).toEqual([1, 2, 30]);
    expect(pointsOf(curve).map(({ y }) => y)).toEqual([1, 2, 3, 4]);
    const long = curveOf(Array.from({ length: 5 * MOST_GROUPS }, (_, x) => x));
    expect(pointsOf(cutCurve(long, MOST_GROUPS)).at(-1)!.x).toBeLessThanOrEqual(MOST_GROUPS);
  });
});
