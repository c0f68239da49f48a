import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairedDifferences } from "../../src/statistics/paired.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

const bySeed = (values: readonly number[]) => new Map(values.map((value, seed) => [seed, value]));
const scores = fc.uniqueArray(fc.tuple(fc.nat(9), fc.double({ min: 0, max: 1, noNaN: true })), {
  selector: ([seed]) => seed,
});

describe("paired differences", () => {
  it.each(SCIPY.paired)("of $ours are SciPy's", ({ ours, theirs, mean, interval }) => {
    const paired = pairedDifferences(bySeed(ours), bySeed(theirs));
    expect(paired.n).toBe(ours.length);
    expect(paired.mean).toSatisfy((value: number) => isClose(value, mean, 1e-9));
    expect(paired.interval!.lower).toSatisfy((value: number) => isClose(value, interval[0], 1e-8));
    expect(paired.interval!.upper).toSatisfy((value: number) => isClose(value, interval[1], 1e-8));
  });

  it("are of seeds that both have, in order, whatever their order was", () => {
    const ours = new Map([
      [7, 0.5],
      [2, 0.25],
      [3, 1],
    ]);
    const theirs = new Map([
      [2, 0.125],
      [9, 0],
      [7, 0.5],
    ]);
    expect(pairedDifferences(ours, theirs).differences).toEqual([
      { seed: 2, difference: 0.125 },
      { seed: 7, difference: 0 },
    ]);
  });

  it("have no mean without a seed in common, and no interval with one", () => {
    expect(pairedDifferences(new Map(), new Map([[1, 1]]))).toMatchObject({ n: 0, mean: null, interval: null });
    expect(pairedDifferences(new Map([[1, 2]]), new Map([[1, 1]]))).toMatchObject({ n: 1, mean: 1, interval: null });
  });

  it("change their sign with their sides, and see only seeds", () => {
    fc.assert(
      fc.property(scores, scores, (ours, theirs) => {
        const there = pairedDifferences(new Map(ours), new Map(theirs));
        const back = pairedDifferences(new Map(theirs), new Map(ours.toReversed()));
        expect(back.n).toBe(there.n);
        if (there.mean !== null) expect(back.mean).toBeCloseTo(-there.mean, 12);
        expect(pairedDifferences(new Map(ours), new Map(ours)).mean ?? 0).toBe(0);
      }),
    );
  });
});
