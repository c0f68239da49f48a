import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { winningRate, type Contest } from "../../src/statistics/winning-rate.js";

const bySeed = (...values: readonly number[]) => new Map(values.map((value, seed) => [seed, value]));

const score = fc.integer({ min: 0, max: 20 }).map((hits) => hits / 20);
const contest = (seeds: number) =>
  fc.record({
    dataSet: fc.constantFrom("mnist", "cifar10"),
    chosen: fc.array(score, { minLength: seeds, maxLength: seeds }).map((values) => bySeed(...values)),
    drawn: fc.array(
      fc.record({
        k: fc.integer({ min: 1, max: 800 }),
        scores: fc.array(score, { minLength: seeds, maxLength: seeds }).map((values) => bySeed(...values)),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  });
const contests = (seeds: number) => fc.array(contest(seeds), { minLength: 1, maxLength: 3 });

describe("the winning rate", () => {
  it("compares means over seeds, once for each data set and drawn k", () => {
    const mnist: Contest = {
      dataSet: "mnist",
      chosen: bySeed(0.9, 0.1),
      drawn: [
        { k: 5, scores: bySeed(0.2, 0.4) },
        { k: 9, scores: bySeed(0.8, 0.8) },
        { k: 70, scores: bySeed(0.5, 0.5) },
      ],
    };
    const rate = winningRate([mnist]);
    // Means 0.5 against 0.3, 0.8 and 0.5: a win, a loss, a tie. Seed by seed: 3 of 3, then 0 of 3.
    expect(rate).toMatchObject({ wins: 1.5, pairs: 3, rate: 0.5, incomparable: 0, perSeedRate: 0.5, bootstrap: null });
    expect(rate.perSeed).toEqual([
      { seed: 0, wins: 3, pairs: 3 },
      { seed: 1, wins: 0, pairs: 3 },
    ]);
  });

  it("pools pairs over data sets, as the paper's 83 % and 45 % are 25 of 30 and 9 of 20", () => {
    const withWins = (dataSet: string, wins: number): Contest => ({
      dataSet,
      chosen: bySeed(0.5),
      drawn: Array.from({ length: 10 }, (_, index) => ({ k: index + 1, scores: bySeed(index < wins ? 0.4 : 0.6) })),
    });
    const table2 = winningRate([withWins("mnist", 9), withWins("cifar10", 10), withWins("cifar100", 6)]);
    expect(table2).toMatchObject({ wins: 25, pairs: 30 });
    expect(Math.round(table2.rate! * 100)).toBe(83);
    const table7 = winningRate([withWins("squad", 4), withWins("mnli", 5)]);
    expect(table7).toMatchObject({ wins: 9, pairs: 20, rate: 0.45 });
  });

  it("calls a tie what only rounding tells apart", () => {
    // 0.1 + 0.3 and 0.2 + 0.2 differ in their last bit seed by seed.
    const rate = winningRate([{ dataSet: "d", chosen: bySeed(0.1, 0.3), drawn: [{ k: 1, scores: bySeed(0.2, 0.2) }] }]);
    expect(rate.wins).toBe(0.5);
  });

  it("compares over seeds that both have, and counts pairs that have none", () => {
    const rate = winningRate([
      {
        dataSet: "d",
        chosen: new Map([[0, 0.5]]),
        drawn: [
          { k: 1, scores: new Map([[1, 0.1]]) },
          {
            k: 2,
            scores: new Map([
              [0, 0.4],
              [1, 1],
            ]),
          },
        ],
      },
    ]);
    expect(rate).toMatchObject({ wins: 1, pairs: 1, incomparable: 1, rate: 1 });
  });

  it("is unknown without a pair", () => {
    expect(winningRate([])).toMatchObject({ pairs: 0, rate: null, interval: null, perSeedRate: null, bootstrap: null });
    expect(winningRate([{ dataSet: "d", chosen: new Map(), drawn: [{ k: 1, scores: bySeed(1) }] }])).toMatchObject({
      rate: null,
      incomparable: 1,
    });
  });

  it("has a bootstrap from six seeds up, in every data set", () => {
    const of = (seeds: number): Contest => ({
      dataSet: "d",
      chosen: bySeed(...Array.from({ length: seeds }, (_, seed) => seed / 10)),
      drawn: [{ k: 1, scores: bySeed(...new Array<number>(seeds).fill(0.2)) }],
    });
    const resamples = 100;
    expect(winningRate([of(5)], { resamples }).bootstrap).toBeNull();
    expect(winningRate([of(6), of(5)], { resamples }).bootstrap).toBeNull();
    expect(winningRate([of(6), of(7)], { resamples }).bootstrap).not.toBeNull();
  });

  it("is between 0 and 1 and within its bootstrap's range of possible rates", () => {
    fc.assert(
      fc.property(contests(6), (all) => {
        const { rate, bootstrap, interval } = winningRate(all, { resamples: 50 });
        expect(rate).toBeGreaterThanOrEqual(interval!.lower);
        expect(rate).toBeLessThanOrEqual(interval!.upper);
        expect(bootstrap!.lower).toBeGreaterThanOrEqual(0);
        expect(bootstrap!.upper).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });

  it("does not see the order of seeds, of k's or of data sets", () => {
    fc.assert(
      fc.property(contests(3), (all) => {
        const turned = all.toReversed().map(({ dataSet, chosen, drawn }) => ({
          dataSet,
          chosen: new Map([...chosen].toReversed()),
          drawn: drawn.toReversed(),
        }));
        expect(winningRate(turned)).toEqual(winningRate(all));
      }),
    );
  });

  it("of better scores is no lower, and of all k's against themselves one half", () => {
    fc.assert(
      fc.property(contests(3), (all) => {
        const better = all.map((one) => ({
          ...one,
          chosen: new Map([...one.chosen].map(([seed, value]) => [seed, value + 0.05])),
        }));
        expect(winningRate(better).wins).toBeGreaterThanOrEqual(winningRate(all).wins);
        const selves = all.map((one) => ({ ...one, drawn: [{ k: 1, scores: one.chosen }] }));
        expect(winningRate(selves).rate).toBe(0.5);
      }),
    );
  });
});
