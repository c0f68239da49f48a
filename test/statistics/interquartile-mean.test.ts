import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interquartileMean } from "../../src/statistics/interquartile-mean.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

describe("the interquartile mean", () => {
  it.each(SCIPY.interquartile_mean)("of $values is SciPy's trimmed mean", ({ values, value }) => {
    expect(interquartileMean(values)).toSatisfy((ours: number) => isClose(ours, value));
  });

  it("is not taken of five", () => {
    expect(interquartileMean([1, 2, 3, 4, 5])).toBeNull();
  });

  it("does not see the order, nor how far out the outermost are", () => {
    const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 20 });
    fc.assert(
      fc.property(values, (inner) => {
        const [low, ...rest] = inner.toSorted((a, b) => a - b);
        expect(interquartileMean([...rest, low! - 1e6])).toBeCloseTo(interquartileMean(inner)!, 10);
      }),
    );
  });
});
