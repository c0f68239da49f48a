import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BLOCK_SIZE,
  emptyPrefix,
  numChanges,
  read,
  steepBlocks,
  type Prefix,
} from "../../../src/core/detector/prefix.js";
import { judgePrefix, type SignalPoint } from "../../../src/core/detector/stabilization.js";
import { seededRandom } from "../../support/random.js";
import { judgePlainly } from "./plain-rule.js";

function point(value: number, index: number, spanError: number | null = 0.001): SignalPoint {
  return { update: index + 1, value, changeError: null, spanError };
}

function expectSameAsPlain(points: readonly SignalPoint[], window: number, tolerance: number, from = 0): Prefix {
  let prefix = emptyPrefix(window);
  points.forEach((one, index) => {
    prefix = read(prefix, one);
    if (index < from) return;
    expect(judgePrefix(prefix, tolerance)).toEqual(judgePlainly(points.slice(0, index + 1), { window, tolerance }));
  });
  return prefix;
}

/** Whatever a worker may measure, from the same value again and again to what no difference of doubles can hold. */
const values = fc.oneof(
  fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 }),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 }),
  fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), { maxLength: 40 }),
  fc.array(fc.constantFrom(0, -0, 5e-324, -5e-324, 1.7e308, -1.7e308, 1), { maxLength: 40 }),
);

/** Signals as they are in long runs, and as they are not. */
const SHAPES: Readonly<Record<string, (index: number, noise: () => number) => number>> = {
  "rises by the same step for ever": (index) => index,
  "rises by a step that no double can hold": (index) => 0.1 * index,
  "falls by the same step for ever": (index) => -0.001 * index,
  "never changes": () => 0.3,
  "repeats itself": (index) => [0, 1, 3, 2][index % 4]!,
  "settles on a plateau": (index, noise) => 1 - 0.9 ** index + 1e-3 * noise(),
  "drifts with noise": (index, noise) => 0.01 * index + noise(),
  "swings for ever": (index) => Math.fround(Math.abs(((index * 17) % 100) - 50)),
  "grows and grows": (index, noise) => (1 + index) * (1 + 0.3 * noise()),
  "jumps once": (index) => (index < 700 ? 0 : 1),
};

describe("the online rule that looks at few points", () => {
  it("judges as the one that looks at all of them, bit for bit", () => {
    const errors = fc.array(fc.option(fc.double({ min: 0, max: 0.01, noNaN: true })), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(
        values,
        errors,
        fc.integer({ min: 2, max: 9 }),
        fc.constantFrom(0.005, 0.02, 0.3),
        (all, error, window, tolerance) => {
          expectSameAsPlain(
            all.map((value, index) => point(value, index, error[index])),
            window,
            tolerance,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(Object.entries(SHAPES))("judges so over many blocks where the signal %s", (_, shape) => {
    const random = seededRandom();
    const noise = (): number => 2 * random() - 1;
    const points = Array.from({ length: 4 * BLOCK_SIZE + 7 }, (__, index) => point(shape(index, noise), index));
    for (const window of [3, 8]) expectSameAsPlain(points, window, 0.02, 2 * BLOCK_SIZE - 20);
  });
});

describe("the points that are looked at", () => {
  it.each(["settles on a plateau", "drifts with noise", "grows and grows", "jumps once"])(
    "are few of a long signal that %s",
    (name) => {
      const random = seededRandom();
      const noise = (): number => 2 * random() - 1;
      let prefix = emptyPrefix(3);
      let looked = 0;
      const judged = 100;
      for (let index = 0; index < 40_000; index += 1) {
        prefix = read(prefix, point(SHAPES[name]!(index, noise), index));
        if (index % (40_000 / judged) === 0) looked += steepBlocks(prefix).length;
      }
      expect(looked / judged).toBeLessThan(2);
      expect(numChanges(prefix) / BLOCK_SIZE).toBeGreaterThan(150);
    },
  );
});
