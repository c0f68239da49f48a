import { describe, expect, it } from "vitest";
import { bootstrapInterval, percentile } from "../../src/statistics/bootstrap.js";
import { meanOf } from "../../src/statistics/moments.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

describe("a percentile", () => {
  it.each(SCIPY.percentile)("at $share of $values is NumPy's", ({ values, share, value }) => {
    expect(percentile(values, share)).toSatisfy((ours: number) => isClose(ours, value));
  });
});

describe("the bootstrap", () => {
  it.each(SCIPY.bootstrap)("of the mean of $values is SciPy's, but for the draws", ({ values, interval }) => {
    const ours = bootstrapInterval([values.length], ([drawn]) => meanOf(drawn!.map((index) => values[index]!)))!;
    const width = interval[1] - interval[0];
    expect(Math.abs(ours.lower - interval[0]) / width).toBeLessThan(0.03);
    expect(Math.abs(ours.upper - interval[1]) / width).toBeLessThan(0.03);
  });

  it("is the same for the same seed, and draws as many as each stratum has", () => {
    const statistic = (drawn: readonly (readonly number[])[]) => {
      expect(drawn.map((indices) => indices.length)).toEqual([3, 2]);
      expect(Math.max(...drawn[1]!)).toBeLessThan(2);
      return drawn[0]!.reduce((sum, index) => sum + index, 0);
    };
    const interval = (seed: number) => bootstrapInterval([3, 2], statistic, { resamples: 50, seed });
    expect(interval(1)).toEqual(interval(1));
  });

  it("leaves out resamples without a statistic, and is null without any", () => {
    expect(bootstrapInterval([2], ([drawn]) => (drawn![0] === 0 ? null : 7), { resamples: 40 })).toMatchObject({
      lower: 7,
      upper: 7,
    });
    expect(bootstrapInterval([2], () => null, { resamples: 5 })).toBeNull();
  });
});
