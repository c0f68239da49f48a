import { expect, it } from "vitest";
import type { Timing } from "../../src/core/state.js";
import { costOf, shareOf, timeBoundary } from "../../src/core/timing.js";

/** Boundaries as [update, seconds of training, seconds of measuring, whether it completed a measurement]. */
type Told = readonly [number, number, number, boolean];

function timed(boundaries: readonly Told[], attempt = 1, before: Timing | null = null): Timing | null {
  return boundaries.reduce<Timing | null>((timing, [update, train, probe, measured]) => {
    const seconds = { train, probe, wait: 9, evaluate: 9, checkpoint: 9 };
    return timeBoundary(timing, attempt, { update, seconds }, measured);
  }, before);
}

it("leaves out the first measurement, and the updates before the second", () => {
  const timing = timed([
    [1, 0, 100, true],
    [10, 50, 1, true],
    [20, 5, 2, true],
  ]);
  const cost = costOf(timing, 20)!;
  expect(cost).toEqual({ secondsPerPoint: 1.5, secondsPerUpdate: 0.5, points: 2, updates: 10 });
  expect(shareOf(cost, 10)).toBe(0.3);
});

it("counts boundaries in between, and a measurement that was cut short with the one that completed it", () => {
  const timing = timed([
    [1, 0, 100, true],
    [7, 30, 0.5, false],
    [10, 20, 1, true],
    [14, 3, 0.25, false],
    [20, 2, 2.25, true],
  ]);
  expect(costOf(timing, 20)).toEqual({ secondsPerPoint: 2, secondsPerUpdate: 0.5, points: 2, updates: 10 });
});

it("knows nothing before the third measurement, nor where no time of training was told", () => {
  const two: Told[] = [
    [1, 0, 1, true],
    [10, 5, 1, true],
  ];
  expect(costOf(null, 1)).toBeNull();
  expect(costOf(timed(two), 10)).toBeNull();
  expect(costOf(timed([...two, [20, 0, 1, true]]), 20)).toBeNull();
  expect(costOf(timed([...two, [20, 0, 1, true], [30, 4, 1, true]]), 30)).toMatchObject({ points: 3, updates: 20 });
});

it("begins anew with another process, whose first updates compile again", () => {
  const first = timed([
    [1, 0, 100, true],
    [10, 50, 1, true],
  ]);
  const second = timed([[10, 40, 100, true]], 2, first);
  expect(second).toEqual({ attempt: 2, measured: 1, probe: 0, since: null, train: 0 });
  expect(costOf(second, 10)).toBeNull();
});
