import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalQuantile, normalTail, studentQuantile, studentTail } from "../../src/statistics/distributions.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

const probability = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });

describe("distributions", () => {
  it.each(SCIPY.normal_quantile)("the normal quantile at $p is SciPy's", ({ p, value }) => {
    expect(normalQuantile(p)).toSatisfy((ours: number) => isClose(ours, value, 1e-8));
  });

  it.each(SCIPY.student)("Student's t with $degrees degrees at $p is SciPy's", ({ p, degrees, quantile, tail }) => {
    expect(studentQuantile(p, degrees)).toSatisfy((ours: number) => isClose(ours, quantile, 1e-9));
    expect(studentTail(3 * p, degrees)).toSatisfy((ours: number) => isClose(ours, tail));
  });

  it("a quantile is where its distribution has that share", () => {
    fc.assert(
      fc.property(probability, fc.integer({ min: 1, max: 60 }), (p, degrees) => {
        expect(1 - studentTail(studentQuantile(p, degrees), degrees)).toBeCloseTo(p, 12);
        expect(1 - normalTail(normalQuantile(p))).toBeCloseTo(p, 12);
      }),
    );
  });

  it("Student's t has the heavier tails, the fewer degrees the heavier", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.6, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 50 }), (p, degrees) => {
        expect(studentQuantile(p, degrees)).toBeGreaterThan(studentQuantile(p, degrees + 1));
        expect(studentQuantile(p, degrees)).toBeGreaterThan(normalQuantile(p));
      }),
    );
  });
});
