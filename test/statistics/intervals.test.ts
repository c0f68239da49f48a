import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { studentInterval, wilsonInterval } from "../../src/statistics/intervals.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

describe("Student's t interval of a mean", () => {
  it.each(SCIPY.mean)("of $values at $level is SciPy's", ({ values, level, interval }) => {
    const { lower, upper } = studentInterval(values, level)!;
    expect(lower).toSatisfy((ours: number) => isClose(ours, interval[0], 1e-9));
    expect(upper).toSatisfy((ours: number) => isClose(ours, interval[1], 1e-9));
  });

  it("is not known of one value", () => {
    expect(studentInterval([0.5])).toBeNull();
    expect(studentInterval([])).toBeNull();
  });

  it("is around the mean, and wider at a higher level", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 }), (values) => {
        const [narrow, wide] = [studentInterval(values, 0.8)!, studentInterval(values, 0.99)!];
        expect(wide.lower).toBeLessThanOrEqual(narrow.lower);
        expect(wide.upper).toBeGreaterThanOrEqual(narrow.upper);
        expect(wide.level).toBe(0.99);
      }),
    );
  });
});

describe("Wilson's interval of a proportion", () => {
  it.each(SCIPY.wilson)("of $successes in $trials at $level is SciPy's", ({ successes, trials, level, interval }) => {
    const { lower, upper } = wilsonInterval(successes, trials, level)!;
    expect(lower).toSatisfy((ours: number) => isClose(ours, interval[0], 1e-9));
    expect(upper).toSatisfy((ours: number) => isClose(ours, interval[1], 1e-9));
  });

  it("is unknown of no trial", () => {
    expect(wilsonInterval(0, 0)).toBeNull();
  });

  it("holds the share, stays within 0 and 1, and mirrors", () => {
    const halves = fc.integer({ min: 1, max: 60 }).chain((trials) => fc.tuple(fc.nat(2 * trials), fc.constant(trials)));
    fc.assert(
      fc.property(halves, ([twice, trials]) => {
        const successes = twice / 2;
        const { lower, upper } = wilsonInterval(successes, trials)!;
        const mirrored = wilsonInterval(trials - successes, trials)!;
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(successes / trials);
        expect(upper).toBeGreaterThanOrEqual(successes / trials);
        expect(upper - lower).toBeGreaterThan(0);
        expect(mirrored.lower).toBeCloseTo(1 - upper, 12);
      }),
    );
  });
});
