import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findOffline,
  findOnline,
  judge,
  withSpanBound,
  type SignalPoint,
  type StabilizationRule,
} from "../../../src/core/detector/stabilization.js";
import { findOfflinePlainly } from "./plain-rule.js";
import { recordedSeries } from "./recorded-series.js";

const RULE: StabilizationRule = { window: 3, tolerance: 0.02 };
const EVERY = 10;

function series(values: readonly number[], error: number | null = 0): SignalPoint[] {
  return values.map((value, index) => {
    return { update: index === 0 ? 1 : index * EVERY, value, changeError: error, spanError: error };
  });
}

/** Rises by 0.7 of what is left at every point. */
const settling = Array.from({ length: 30 }, (_, index) => 1 - 0.3 ** index);

describe("the online rule on recorded series", () => {
  it.each([
    ["width8_batch128_seed0", 3, 120],
    ["width8_batch128_seed0", 8, 160],
    ["width8_batch64_seed0", 3, 120],
    ["width8_batch64_seed0", 8, 160],
    ["width8_batch64_seed0_batchnorm_calibrated", 3, null],
    ["width8_batch64_seed0_batchnorm_calibrated", 8, null],
  ] as const)("%s: fisher_trace with window %i fires at %s", (file, window, expected) => {
    expect(findOnline(recordedSeries(file, "fisher_trace"), { window, tolerance: 0.02 })).toBe(expected);
  });

  it.each(["width8_batch128_seed0", "width8_batch64_seed0"] as const)("%s: abstains on noisy sharpness_avg", (file) => {
    expect(findOnline(recordedSeries(file, "sharpness_avg"), RULE)).toBeNull();
  });
});

describe("the online rule", () => {
  it("fires at the third calm change after the transient", () => {
    // Changes (x_n - x_(n-3)) / 3 of the normalised prefix: 0.33, 0.10, 0.03, then 0.009 and below.
    const at = findOnline(series(settling), RULE)!;
    const verdicts = settling.map((_, index) => judge(series(settling.slice(0, index + 1)), RULE));
    const first = verdicts.findIndex((verdict) => verdict.fired);
    expect(at).toBe(first * EVERY);
    expect(verdicts.slice(first - 3, first + 1).map(({ calm }) => calm)).toEqual([0, 1, 2, 3]);
    expect(verdicts.slice(first - 3, first + 1).map(({ phase }) => phase)).toEqual([
      "transient",
      "settling",
      "settling",
      "stable",
    ]);
  });

  it("treats a falling signal as the same one rising, and its scale and offset as nothing", () => {
    const shapes = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(shapes, fc.constantFrom(2, 3, 8), (values, window) => {
        const rule = { window, tolerance: 0.02 };
        const [up, down, doubled] = [1, -1, 2].map((factor) => series(values.map((value) => value * factor)));
        expect(findOnline(down!, rule)).toBe(findOnline(up!, rule));
        expect(findOnline(doubled!, rule)).toBe(findOnline(up!, rule));
      }),
    );
  });

  it("looks back only: what comes later changes no earlier verdict", () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 3 }), values, (kept, tail) => {
        const prefix = settling.slice(0, 12 + kept.length);
        const at = findOnline(series(prefix), RULE);
        if (at !== null) expect(findOnline(series([...prefix, ...tail]), RULE)).toBe(at);
      }),
    );
  });

  it("abstains on pure noise whose size is known", () => {
    const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 100 });
    fc.assert(
      fc.property(values, fc.constantFrom(3, 8), (noise, window) => {
        // The standard error of the difference of two uniform numbers.
        expect(findOnline(series(noise, Math.sqrt(2 / 12)), { window, tolerance: 0.02 })).toBeNull();
      }),
    );
  });

  it.each([
    ["a constant", settling.map(() => 5)],
    ["zeros", settling.map(() => 0)],
    ["the drift of a large value", settling.map((value) => 100 + value)],
  ])("never fires on %s", (_, values) => {
    expect(findOnline(series(values), RULE)).toBeNull();
  });

  it("never fires before window + 3 points, whatever they are", () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 10 });
    fc.assert(
      fc.property(values, (all) => {
        expect(findOnline(series(all), { window: 8, tolerance: 0.5 })).toBeNull();
      }),
    );
    expect(judge(series([]), RULE)).toMatchObject({ phase: "transient", fired: false, change: null, steepest: null });
    expect(judge(series([1, 2, 3]), RULE).change).toBeNull();
    expect(judge(series([1, 2, 3, 4]), RULE).change).toBe(1 / 3);
  });

  it("needs to know the noise of all three changes, and needs it below epsilon", () => {
    const at = findOnline(series(settling), RULE)! / EVERY;
    const points = series(settling).slice(0, at + 1);
    for (const index of [at - 2, at - 1, at]) {
      for (const spanError of [null, 0.02 * 3]) {
        const spoilt = points.map((point, each) => (each === index ? { ...point, spanError } : point));
        expect(judge(spoilt, RULE).fired).toBe(false);
      }
    }
    const early = points.map((point, each) => (each < at - 2 ? { ...point, spanError: null } : point));
    expect(judge(early, RULE).fired).toBe(true);
    expect(findOnline(series(settling, null), RULE)).toBeNull();
  });

  it("waits for the steepest change to be over", () => {
    const larger = settling.slice(1).map((value) => 1 + 5 * value);
    expect(findOnline(series(settling), RULE)).toBe(8 * EVERY);
    expect(findOnline(series([...settling.slice(0, 8), ...larger]), RULE)).toBe((7 + 8) * EVERY);
  });
});

describe("withSpanBound", () => {
  it("is the sum of the last changes' errors, unknown where one of them is", () => {
    const points = series([1, 2, 3, 4, 5, 6]).map((point, index) => ({ ...point, changeError: index }));
    const errors = (all: readonly SignalPoint[]): (number | null)[] => all.map(({ spanError }) => spanError);
    expect(errors(withSpanBound(points, 2))).toEqual([null, null, 3, 5, 7, 9]);
    const holed = points.map((point, index) => (index === 3 ? { ...point, changeError: null } : point));
    expect(errors(withSpanBound(holed, 2))).toEqual([null, null, 3, null, null, 9]);
  });
});

describe("Algorithm 2 offline", () => {
  it.each([
    ["width8_batch128_seed0", 80],
    ["width8_batch64_seed0", 90],
  ] as const)("%s: finds %i in the whole series", (file, k) => {
    expect(findOffline(recordedSeries(file, "fisher_trace"), RULE, EVERY)).toEqual({ k, flat: false, reason: null });
  });

  it("counts the transient's points and the index after it", () => {
    // Normalised changes 0.5, 0.5, 0, 0.4, 0.4, 0, 0, 0: the first transient ends at change 2. In what is left, 1 1 .6
    // .2 .2 .2 .2, the changes of the average over 3 are -.27, -.27, -.13, 0: index 3.
    const values = [0, 0.5, 1, 1, 0.6, 0.2, 0.2, 0.2, 0.2];
    expect(findOffline(series(values), RULE, EVERY)).toEqual({ k: (2 + 3) * EVERY, flat: false, reason: null });
  });

  it.each([
    ["the signal never changes", [3, 3, 3, 3, 3, 3]],
    ["the signal never changes", []],
    ["no change exceeds epsilon", Array.from({ length: 101 }, (_, index) => index)],
    ["the transient does not end", [0, 1, 0, 1, 0, 1]],
    ["too few points remain after the transient", [0, 0.5, 1, 1, 1]],
    ["the moving average does not settle", [0, 1, 1, 0.8, 0.6, 0.4, 0.2, 0]],
  ])("finds nothing where %s", (reason, values) => {
    expect(findOffline(series(values), RULE, EVERY)).toMatchObject({ k: null, reason });
  });

  it("says of any series what it says list by list", () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.double({ noNaN: true }));
    const rules = fc.record({
      window: fc.integer({ min: 1, max: 5 }),
      tolerance: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), rules, (values, rule) => {
        expect(findOffline(series(values), rule, EVERY)).toEqual(findOfflinePlainly(series(values), rule, EVERY));
      }),
      { numRuns: 2000 },
    );
  });

  it("marks a series whose range is small beside its values", () => {
    expect(findOffline(series(settling.map((value) => 100 + value)), RULE, EVERY)).toMatchObject({ flat: true });
    expect(
      findOffline(recordedSeries("width8_batch64_seed0_batchnorm_calibrated", "fisher_trace"), RULE, EVERY).flat,
    ).toBe(true);
  });
});
