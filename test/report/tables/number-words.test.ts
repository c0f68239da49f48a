import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bounds, decimalsOf, fixed, signed } from "../../../src/report/tables/number-words.js";

const share = { unit: "share" } as const;

describe("numbers of a table", () => {
  it("are shares in per cent, and counts without decimals", () => {
    expect(fixed(0.93324, share, decimalsOf(share))).toBe("93.32");
    expect(fixed(0.93324, share, decimalsOf(share, 1))).toBe("93.3");
    expect(fixed(120, { unit: "updates" }, decimalsOf({ unit: "updates" }, 3))).toBe("120");
  });

  it("have their sign as differences, zero has none", () => {
    expect(signed(0.001, share, 2)).toBe("+0.10");
    expect(signed(-0.001, share, 2)).toBe("-0.10");
    expect(signed(-0.00001, share, 2)).toBe("0.00");
    expect(bounds({ lower: -0.5, upper: 0.25, level: 0.95 }, share, 1, true)).toEqual(["-50.0", "+25.0"]);
  });

  it("read back are the number to the shown digits", () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 0, max: 4 }), (value, decimals) => {
        expect(Math.abs(Number(signed(value, share, decimals)) - 100 * value)).toBeLessThanOrEqual(
          0.5 * 10 ** -decimals + 1e-9,
        );
      }),
    );
  });
});
