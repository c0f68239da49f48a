import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptyPlateau,
  findPlateau,
  judgePlateau,
  readPlateau,
  type PlateauJudgement,
  type PlateauPoint,
  type PlateauRule,
} from "../../../src/core/detector/plateau.js";

const RULE: PlateauRule = { window: 3, tolerance: 0.02, mode: "min" };

function series(values: readonly number[], errors: readonly (number | null)[] = []): PlateauPoint[] {
  return values.map((value, index) => ({ update: 10 * (index + 1), value, standardError: errors[index] ?? null }));
}

function judged(points: readonly PlateauPoint[], rule: PlateauRule): PlateauJudgement {
  return judgePlateau(points.reduce(readPlateau, emptyPlateau(rule)));
}

/** The rule as science words it, on all points at once. */
function firesPlainly(points: readonly PlateauPoint[], { window, tolerance, mode }: PlateauRule): boolean {
  if (points.length < 2 * window) return false;
  const sign = mode === "min" ? 1 : -1;
  const range = Math.max(...points.map(({ value }) => value)) - Math.min(...points.map(({ value }) => value));
  const bestOf = (some: readonly PlateauPoint[]): PlateauPoint =>
    some.reduce((best, point) => (sign * point.value < sign * best.value ? point : best));
  const isBetter = (from: PlateauPoint, to: PlateauPoint): boolean => {
    const gain = sign * (from.value - to.value);
    const error = Math.hypot(from.standardError ?? 0, to.standardError ?? 0);
    return gain > tolerance * range && gain >= error;
  };
  const [before, latest] = [bestOf(points.slice(0, -window)), bestOf(points.slice(-window))];
  return isBetter(points[0]!, before) && !isBetter(before, latest);
}

const rules = fc.record({
  window: fc.integer({ min: 2, max: 5 }),
  tolerance: fc.constantFrom(0.02, 0.125, 0.5),
  mode: fc.constantFrom("min" as const, "max" as const),
});
const values = fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 30 });

describe("the plateau rule", () => {
  it("fires when the latest tau points have gained nothing, and says where they began", () => {
    const points = series([8, 6, 4, 2, 1, 1, 1, 1]);
    expect(judged(points.slice(0, 7), RULE)).toMatchObject({ phase: "settling", fired: false, gain: 1 / 7 });
    expect(judged(points, RULE)).toEqual({
      rule: "plateau",
      phase: "stable",
      fired: true,
      points: 8,
      needed: 6,
      improved: 1,
      gain: 0,
      hasImproved: true,
      stillImproves: false,
    });
    expect(findPlateau(points, RULE)).toEqual({ firedAt: 80, endedAt: 50 });
  });

  it("says nothing of fewer than two windows, and of a series that has never improved", () => {
    expect(judged(series([8, 1, 1, 1, 1]), RULE)).toMatchObject({ phase: "transient", fired: false, gain: null });
    const worse = series([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(judged(worse, RULE)).toMatchObject({ phase: "transient", fired: false, hasImproved: false });
    expect(findPlateau(worse, { ...RULE, mode: "max" })).toBeNull();
    expect(findPlateau(series(Array<number>(20).fill(3)), RULE)).toBeNull();
  });

  it("takes an improvement smaller than its own error for none", () => {
    const falling = [9, 6, 4, 3, 2.5, 2];
    expect(judged(series(falling), RULE).fired).toBe(false);
    const noisy = series(falling, [0, 0, 0, 2, 2, 2]);
    expect(judged(noisy, RULE)).toMatchObject({ fired: false, hasImproved: true, stillImproves: true });
    expect(judged(series(falling, [0, 0, 1.5, 2, 2, 2]), RULE)).toMatchObject({ fired: true, gain: 2 / 7 });
    // Of the first improvement as well: what never improved by more than its error has no plateau.
    expect(judged(series(falling, [9, 9, 9, 9, 9, 9]), RULE).phase).toBe("transient");
  });

  it("decides nothing of a range that no number holds", () => {
    const huge = series([1.7e308, -1.7e308, 0, 0, 0, 0, 0]);
    expect(judged(huge, RULE)).toMatchObject({ fired: false, gain: null });
  });

  it("is what the rule says in words, whatever the series", () => {
    const errors = fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, errors, rules, (all, error, rule) => {
        const points = series(all, error);
        if (points.length === 0) return;
        expect(judged(points, rule).fired).toBe(firesPlainly(points, rule));
      }),
      { numRuns: 500 },
    );
  });

  it("never fires while every point improves by more than epsilon of the range", () => {
    const steps = fc.array(fc.integer({ min: 10, max: 19 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 2, max: 5 }),
        fc.constantFrom("min" as const, "max" as const),
        (by, window, mode) => {
          // 12 steps of at most 19: each is more than 4 % of their sum.
          let value = 0;
          const all = [0, ...by.map((step) => (value += mode === "max" ? step : -step))];
          expect(findPlateau(series(all), { window, tolerance: 0.04, mode })).toBeNull();
        },
      ),
    );
  });

  it("is the same on another scale and from another zero, and with both turned round", () => {
    fc.assert(
      fc.property(
        values,
        rules,
        fc.integer({ min: -9, max: 9 }),
        fc.integer({ min: -99, max: 99 }),
        (all, rule, power, zero) => {
          const scale = 2 ** power;
          const errors = all.map((value) => Math.abs(value) % 3);
          const expected = findPlateau(series(all, errors), rule);
          const scaled = series(
            all.map((value) => scale * (value + zero)),
            errors.map((error) => scale * error),
          );
          expect(findPlateau(scaled, rule)).toEqual(expected);
          const turned = series(
            all.map((value) => -value),
            errors,
          );
          expect(findPlateau(turned, { ...rule, mode: rule.mode === "min" ? "max" : "min" })).toEqual(expected);
        },
      ),
    );
  });

  it("keeps no more of a long series than its window", () => {
    const points = series(Array.from({ length: 5000 }, (_, index) => 1 / (index + 1)));
    const prefix = points.reduce(readPlateau, emptyPlateau(RULE));
    expect(prefix.latest).toHaveLength(3);
    expect(prefix.points).toBe(5000);
  });
});
