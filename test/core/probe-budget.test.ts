import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseEvery, largestEvery } from "../../src/core/probe-budget.js";
import { shareOf } from "../../src/core/timing.js";
import { askWhatIf, replayJournal, verifyJournal } from "../../src/journal/replay.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { composeResults } from "../../src/reading/results.js";
import { simulatedConfig, simulatedConfigOver, SimulatedRun, trainingOf } from "../support/simulated-run.js";
import { harmlessCommands, interleavings } from "./interleavings.js";
import { begun } from "./begun-run.js";

const KEY = "probe/fisher_trace";
/** Half an update's time a measurement: 25 % at every = 2, 8.3 % at 6. */
const COST = { update: 1, point: 0.5 };

function run(budget: number, ...overrides: string[]): SimulatedRun {
  const config = simulatedConfig("intervention.k_max=60", `probe.budget=${budget}`, ...overrides);
  return new SimulatedRun(config, trainingOf(config, { cost: COST }));
}

function updatesIn({ state }: SimulatedRun): number[] {
  return state.signal.series[KEY]!.map(({ update }) => update);
}

const positive = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
const costs = fc
  .tuple(positive, positive)
  .map(([secondsPerPoint, secondsPerUpdate]) => ({ secondsPerPoint, secondsPerUpdate, points: 2, updates: 10 }));

describe("chooseEvery", () => {
  it("is the least multiple of the initial one that keeps the budget, or the largest that leaves a decision", () => {
    const initial = fc.integer({ min: 1, max: 1000 });
    const budget = fc.double({ min: 1e-3, max: 1, noNaN: true });
    const largest = fc.option(fc.integer({ min: 0, max: 100_000 }));
    fc.assert(
      fc.property(initial, budget, costs, largest, (every, share, cost, most) => {
        const choice = chooseEvery(every, share, cost, most);
        const multiple = choice.every / every;
        expect(Number.isInteger(multiple) && multiple >= 1).toBe(true);
        expect(choice.share).toBe(shareOf(cost, choice.every));
        if (most !== null) expect(choice.every).toBeLessThanOrEqual(Math.max(every, most));
        const isLargest = most === null ? multiple === 1e6 : choice.every + every > most;
        expect(choice.share <= share || isLargest).toBe(true);
        // No smaller one does, but for the rounding of a quotient.
        if (multiple > 1) expect(shareOf(cost, choice.every - every) * (1 + 1e-12)).toBeGreaterThan(share);
      }),
    );
  });
});

describe("largestEvery", () => {
  const largest = (...overrides: string[]): number | null => {
    const { state, model } = begun(...overrides);
    return largestEvery(state, model);
  };

  it("leaves tau + 3 points behind the first until k_max, the end of measuring, or that of training", () => {
    expect(largest("intervention.k_max=48")).toBe(8);
    expect(largest("intervention.k_max=null")).toBe(3);
    expect(largest("intervention.k_max=48", "probe.until=24")).toBe(4);
    expect(largest("intervention.k=5", "probe.until=end")).toBe(10);
    expect(largest("intervention.k_max=48", "intervention.tau=5")).toBe(6);
    expect(largest("intervention.kind=none", "probe.until=end")).toBe(10);
  });
});

describe("a run with a budget", () => {
  it("measures on the multiple from the third measurement on, and drops what is not on it", () => {
    const done = run(0.1).finish();
    const [choice, ...more] = done.decided("every/chosen");
    expect(more).toEqual([]);
    expect(choice).toMatchObject({ update: 4, initial: 2, every: 6, initialShare: 0.25, dropped: [2, 4], largest: 10 });
    expect(updatesIn(done)).toEqual(
      [1, 6, 12, 18, 24, 30, 36].filter((update) => update <= done.state.interval!.decidedAt),
    );
    expect(done.state.interval!.k % 6).toBe(0);
    verifyJournal(done.records);
  });

  it("tells the worker with every grant behind the choice, and with none before", () => {
    const done = run(0.1, "probe.until=end").finish();
    const told = done.ordered("worker/grant").map(({ body }) => [body.until! > 4, body.probe_every ?? null]);
    expect(new Set(told.map((one) => JSON.stringify(one)))).toEqual(new Set(["[false,null]", "[true,6]"]));
  });

  it("gives up bit-identity and says so, also where nothing had to change", () => {
    for (const budget of [0.1, 0.5]) {
      const done = run(budget).finish();
      const { bit_identical: identical } = composeResults(done.state, 0);
      expect(identical.promised).toBe(false);
      expect(identical.dropped_because).toEqual([
        expect.stringMatching(/^`probe.budget` chose every = \d+ by seconds/),
      ]);
    }
  });

  it("changes nothing where `every` keeps the budget already", () => {
    const calm = new SimulatedRun(simulatedConfig("intervention.k_max=60")).finish();
    const done = run(0.25).finish();
    expect(done.decided("every/chosen")).toMatchObject([{ every: 2, dropped: [], share: 0.25 }]);
    expect(updatesIn(done)).toEqual(updatesIn(calm));
    expect(done.state.interval).toEqual(calm.state.interval);
    expect(done.state.weights.sha256).toBe(calm.state.weights.sha256);
    expect(done.ordered("worker/grant").filter(({ body }) => body.probe_every !== undefined)).toEqual([]);
  });

  it("leaves the points of a decision where the budget cannot be kept", () => {
    const done = run(0.01).finish();
    expect(done.decided("every/chosen")).toMatchObject([{ every: 10, share: 0.05, budget: 0.01, largest: 10 }]);
    expect(composeResults(done.state, 0).budget).toMatchObject({ share: 0.01, every: 10, kept: false });
    expect(done.state.interval).not.toBeNull();
  });

  it("is as good as fixing the chosen `every`, from the choice on", () => {
    const fixed = new SimulatedRun(simulatedConfig("intervention.k_max=60", "probe.every=6"));
    const done = run(0.1);
    // The signal is a function of the update alone, and so are the points of both grids.
    const signal = (update: number): number => 1 - 0.8 ** update;
    const of = (config: Parameters<typeof trainingOf>[0]): SimulatedRun =>
      new SimulatedRun(config, trainingOf(config, { cost: COST, signal })).finish();
    const [a, b] = [of(done.state.config), of(fixed.state.config)];
    expect(a.state.interval).toEqual(b.state.interval);
    expect(updatesIn(a)).toEqual(updatesIn(b));
  });

  it("is asked by what-if on its grid, and results say what decided", () => {
    const done = run(0.1).finish();
    const { interval } = done.state;
    const rule = { metric: "fisher_trace", tau: 3, epsilon: 0.02 };
    const answer = askWhatIf(done.state, rule);
    expect(answer).toMatchObject({ every: 6, points: updatesIn(done).length, kOnline: interval!.k });
    expect(answer.offline.k).toBe(interval!.kOffline);
    expect(composeResults(done.state, 0).k).toMatchObject({ every: 6 });
  });

  it("has its own record in the results where it ended before the choice", () => {
    const early = run(0.1).until(({ progress }) => progress.frontier >= 2);
    expect(composeResults(early.state, 0).budget).toEqual({
      share: 0.1,
      every: null,
      kept: null,
      timed: null,
      dropped_updates: [],
    });
  });
});

describe("whatever happens to a run with a budget", () => {
  const settings = fc.tuple(
    fc.constantFrom(0.03, 0.1, 0.2),
    fc.constantFrom("probe.until=decision", "probe.until=end"),
    fc.constantFrom("intervention.start=1", "intervention.start=14"),
    fc.constantFrom("checkpoint.every=7", "checkpoint.every=25"),
    fc.constantFrom("intervention.k_max=46", "intervention.k_max=24"),
  );

  function disturbed(
    [budget, ...overrides]: readonly [number, ...string[]],
    actions: readonly Parameters<SimulatedRun["act"]>[0][],
  ): SimulatedRun {
    const config = simulatedConfig(`probe.budget=${budget}`, ...overrides);
    const disturbedRun = new SimulatedRun(config, trainingOf(config, { cost: COST }));
    for (const action of actions) disturbedRun.act(action);
    return disturbedRun.finish();
  }

  it("chooses once, the same as undisturbed; replay repeats it, and all points are on its grid", () => {
    fc.assert(
      fc.property(settings, interleavings(harmlessCommands), (overrides, actions) => {
        const done = disturbed(overrides, actions);
        const calm = disturbed(overrides, []);
        const records = JSON.parse(JSON.stringify(done.records)) as JournalRecord[];
        verifyJournal(records);
        expect(JSON.stringify(replayJournal(records).signal)).toBe(JSON.stringify(done.state.signal));
        expect(done.decided("every/chosen").length).toBe(1);
        const { grid } = done.state.signal;
        const start = Number(overrides[2].split("=")[1]);
        expect(grid!.every).toBe(calm.state.signal.grid!.every);
        expect(updatesIn(done).every((update) => update === start || (update - start + 1) % grid!.every === 0)).toBe(
          true,
        );
        expect(done.decided("signal/differed")).toEqual([]);
        // A choice that comes later, after a crash before it, comes to the same points.
        expect(updatesIn(done)).toEqual(updatesIn(calm));
        expect(done.state.interval).toEqual(calm.state.interval);
        expect(done.state.weights.sha256).toBe(calm.state.weights.sha256);
      }),
      { numRuns: 80 },
    );
  });

  it("trains as with its k fixed from the start", () => {
    const done = run(0.1).finish();
    const k = `intervention.k=${done.state.interval!.k}`;
    const fixed = new SimulatedRun(simulatedConfigOver(["probe.budget=0.1"], k)).finish();
    expect(fixed.state.weights.sha256).toBe(done.state.weights.sha256);
  });
});
