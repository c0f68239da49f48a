import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meanOf, momentsOf, standardDeviationOf } from "../../src/statistics/moments.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const shares = fc.array(share, { minLength: 2, maxLength: 12 });

describe("mean and standard deviation", () => {
  it.each(SCIPY.mean)("of $values are NumPy's", ({ values, mean, standard_deviation }) => {
    expect(meanOf(values)).toSatisfy((ours: number) => isClose(ours, mean));
    expect(standardDeviationOf(values)).toSatisfy((ours: number) => isClose(ours, standard_deviation));
  });

  it("are null where there are too few values", () => {
    expect(momentsOf([])).toEqual({ n: 0, mean: null, standardDeviation: null });
    expect(momentsOf([0.3])).toEqual({ n: 1, mean: 0.3, standardDeviation: null });
  });

  it("of equal values are that value and exactly 0", () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 2, max: 12 }), (value, n) => {
        expect(momentsOf(new Array<number>(n).fill(value))).toEqual({ n, mean: value, standardDeviation: 0 });
      }),
    );
  });

  it("do not see the order; a shift moves the mean alone, a scale both", () => {
    fc.assert(
      fc.property(shares, share, (values, by) => {
        const { mean, standardDeviation } = momentsOf(values);
        const shifted = momentsOf(values.toReversed().map((value) => value + by));
        const scaled = momentsOf(values.map((value) => value * 100));
        expect(shifted.mean).toBeCloseTo(mean! + by, 12);
        expect(shifted.standardDeviation).toBeCloseTo(standardDeviation!, 12);
        expect(scaled.mean).toBeCloseTo(mean! * 100, 10);
        expect(scaled.standardDeviation).toBeCloseTo(standardDeviation! * 100, 10);
      }),
    );
  });
});
