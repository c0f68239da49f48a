import { describe, expect, it } from "vitest";
import { describeMetricValue, finitePoints, sameMetricValue } from "../../../src/core/detector/signal.js";
import type { SeriesPoint } from "../../../src/core/state.js";

const nan = { non_finite: "nan" } as const;

function point(update: number, difference: Partial<SeriesPoint> = {}): SeriesPoint {
  return { update, value: update, standardError: 1, changeError: 2, spanError: 3, seconds: 0, ...difference };
}

describe("finitePoints", () => {
  it("leaves out what is not finite and what lies ahead, and keeps errors only where they are finite", () => {
    const series = [point(1), point(2, { value: nan }), point(4, { spanError: nan, changeError: null }), point(6)];
    expect(finitePoints(series, 4)).toEqual([
      { update: 1, value: 1, standardError: 1, changeError: 2, spanError: 3 },
      { update: 4, value: 4, standardError: 1, changeError: null, spanError: null },
    ]);
  });
});

describe("metric values", () => {
  it("are the same bit for bit", () => {
    expect(sameMetricValue(0.1 + 0.2, 0.3)).toBe(false);
    expect(sameMetricValue(0.3, 0.3)).toBe(true);
    expect(sameMetricValue(-0, 0)).toBe(true);
    expect(sameMetricValue(nan, { non_finite: "nan" })).toBe(true);
    expect(sameMetricValue(nan, { non_finite: "inf" })).toBe(false);
    expect(sameMetricValue(nan, 1)).toBe(false);
  });

  it("are shown as they are", () => {
    expect([0.5, nan, { non_finite: "-inf" } as const].map(describeMetricValue)).toEqual(["0.5", "nan", "-inf"]);
  });
});
