import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axis, gridOf, valuesOf } from "../../src/sweep/axes.js";

describe("an axis", () => {
  it("has its values as they are listed", () => {
    expect(valuesOf(axis.parse(["b", "a", null, 2, true]))).toEqual(["b", "a", null, 2, true]);
  });

  it("counts from `from` to `to`, both included where a step ends there", () => {
    expect(valuesOf(axis.parse({ from: 10, to: 50, step: 20 }))).toEqual([10, 30, 50]);
    expect(valuesOf(axis.parse({ from: 3, to: 5 }))).toEqual([3, 4, 5]);
    expect(valuesOf(axis.parse({ from: 10, to: 49, step: 20 }))).toEqual([10, 30]);
  });

  it("draws different whole numbers in range, rising, the same for the same seed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: -20, max: 20 }),
        fc.nat(1000),
        fc.nat(200),
        (count, from, seed, more) => {
          const given = axis.parse({ random: { count, from, to: from + count - 1 + more, seed } });
          const values = valuesOf(given) as number[];
          expect(values).toHaveLength(count);
          expect(new Set(values).size).toBe(count);
          expect(values).toEqual([...values].sort((a, b) => a - b));
          expect(Math.min(...values)).toBeGreaterThanOrEqual(from);
          expect(Math.max(...values)).toBeLessThanOrEqual(from + count - 1 + more);
          expect(valuesOf(given)).toEqual(values);
        },
      ),
    );
  });

  it("draws every number as often: 2000 draws of 5 from 1 to 20", () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 2000; seed += 1) {
      for (const value of valuesOf(axis.parse({ random: { count: 5, from: 1, to: 20, seed } })) as number[]) {
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    // 500 expected, with a standard deviation of 19.4.
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(5 * 19.4);
  });

  it("draws others with another seed", () => {
    const draw = (seed: number) => valuesOf(axis.parse({ random: { count: 10, from: 1, to: 800, seed } }));
    expect(draw(0)).not.toEqual(draw(1));
  });

  it.each([
    ["an empty list", []],
    ["values that repeat", [1, 1]],
    ["a range the wrong way round", { from: 5, to: 4 }],
    ["more numbers than there are", { random: { count: 5, from: 1, to: 4 } }],
    ["a list in a list", [[1]]],
    ["a range without an end", { from: 1 }],
    ["too many values", { from: 1, to: 5000 }],
  ])("refuses %s", (_, given) => {
    expect(axis.safeParse(given).success).toBe(false);
  });
});

describe("a grid", () => {
  it("has every combination once, the last axis changing fastest", () => {
    expect(gridOf({ a: [1, 2], b: ["x", "y"] })).toEqual([
      { a: 1, b: "x" },
      { a: 1, b: "y" },
      { a: 2, b: "x" },
      { a: 2, b: "y" },
    ]);
  });

  it("is one run where there is no axis", () => {
    expect(gridOf({})).toEqual([{}]);
  });
});
