import fc from "fast-check";
import { expect, it } from "vitest";
import { thinned } from "../../../src/report/page/compact-figure.js";

const curve = fc
  .array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(NaN)), {
    minLength: 1,
    maxLength: 400,
  })
  .map((values) => values.map((y, x) => ({ x, y })));

it("keeps the first, the last and the extreme points of a curve, in order, and few", () => {
  fc.assert(
    fc.property(curve, fc.integer({ min: 10, max: 100 }), (points, most) => {
      const kept = thinned(points, most);
      const finite = (list: typeof points): number[] => list.map(({ y }) => y).filter(Number.isFinite);
      expect(kept[0]).toBe(points[0]);
      expect(kept.at(-1)).toBe(points.at(-1));
      expect(Math.max(...finite([...kept]))).toBe(Math.max(...finite(points)));
      expect(Math.min(...finite([...kept]))).toBe(Math.min(...finite(points)));
      expect(kept.map(({ x }) => x)).toEqual(kept.map(({ x }) => x).sort((a, b) => a - b));
      const gaps = points.length - finite(points).length;
      expect(kept.length).toBeLessThanOrEqual(Math.max(points.length <= most ? most : most + 2, 0) + gaps);
    }),
  );
});
