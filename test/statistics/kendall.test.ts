import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kendallTau } from "../../src/statistics/kendall.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
  minLength: 2,
  maxLength: 15,
});

describe("Kendall's tau-b", () => {
  it.each(SCIPY.kendall)("of $x and $y is SciPy's", ({ x, y, exact, tau, p }) => {
    const ours = kendallTau(x, y);
    expect(ours === null).toBe(tau === null);
    if (tau === null || p === null) return;
    expect(ours).toMatchObject({ exact, n: x.length });
    expect(ours!.tau).toSatisfy((value: number) => isClose(value, tau));
    expect(ours!.p).toSatisfy((value: number) => isClose(value, p));
  });

  it("is unknown of series without an order, and of series that do not pair", () => {
    expect(kendallTau([], [])).toBeNull();
    expect(kendallTau([1], [2])).toBeNull();
    expect(() => kendallTau([1, 2], [1])).toThrow(RangeError);
  });

  it("sees ranks only, not the order of the pairs, and mirrors", () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const [x, y] = [drawn.map(([first]) => first), drawn.map(([, second]) => second)];
        const result = kendallTau(x, y);
        expect(
          kendallTau(
            x.map((value) => Math.exp(value)),
            y,
          ),
        ).toEqual(result);
        expect(kendallTau(y.toReversed(), x.toReversed())?.tau ?? NaN).toBeCloseTo(result?.tau ?? NaN, 12);
        const mirrored = kendallTau(
          x,
          y.map((value) => -value),
        );
        expect(mirrored?.p).toBe(result?.p);
        if (result !== null) expect(mirrored!.tau).toBeCloseTo(-result.tau, 12);
      }),
    );
  });
});
