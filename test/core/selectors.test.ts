import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  selectBlocks,
  selectDetector,
  selectEvaluation,
  selectLeftFrozen,
  selectNextRelease,
  selectPhase,
  selectProbeShare,
  selectSecondsLeft,
  selectSignal,
  selectStep,
  selectUpdatesPerSecond,
} from "../../src/core/selectors.js";
import type { State } from "../../src/core/state.js";
import { replayRecord } from "../../src/journal/replay.js";
import { quickstartConfig, simulateRun } from "../ui/journal-builder.js";
import { MOMENTS } from "../ui/moments.js";

describe("selectPhase", () => {
  it.each([
    ["starting", "starting"],
    ["waiting", "searching"],
    ["decided", "unfreezing"],
    ["unfreezing", "unfreezing"],
    ["evaluating", "evaluating"],
    ["finished", "finished"],
    ["failed", "failed"],
  ])("%s: %s", (moment, phase) => {
    expect(selectPhase(MOMENTS[moment]!().state)).toBe(phase);
  });
});

describe("progress", () => {
  it("counts completed updates: boundary i stands after i - 1 of them", () => {
    const { state } = MOMENTS["waiting"]!();
    expect(state.attempt?.update).toBe(90);
    expect(selectStep(state)).toBe(89);
  });

  it("estimates the rest from the present speed, and nothing once the run has ended", () => {
    const { state } = MOMENTS["unfreezing"]!();
    const rate = selectUpdatesPerSecond(state)!;
    expect(rate).toBeCloseTo(1 / 0.045);
    expect(selectSecondsLeft(state)).toBeCloseTo((1000 - selectStep(state)) * 0.045);
    expect(selectProbeShare(state)).toBeCloseTo(state.seconds.probe / state.seconds.train);
    expect(selectSecondsLeft(simulateRun().state)).toBeNull();
  });
});

describe("selectSignal", () => {
  it("averages over the last tau points and knows the decision and its limit", () => {
    const signal = selectSignal(MOMENTS["decided"]!().state);
    expect(signal).toMatchObject({ signal: "fisher_trace", decidedAt: 120, latest: 200, nextPoint: null, gaps: [] });
    const [first] = signal.averages;
    expect(first).toEqual({ update: 20, value: expect.closeTo((0.00144 + 0.00474 + 0.01108) / 3, 10) as number });
    expect(signal.averages).toHaveLength(signal.points.length - 2);
  });

  it("foresees the next point while k is searched for", () => {
    expect(selectSignal(MOMENTS["waiting"]!().state).nextPoint).toBe(100);
  });

  it("keeps what is not a number as a gap", () => {
    const run = simulateRun({
      signal: (point) => (point === 2 ? { non_finite: "nan" } : point),
      until: (s) => s.frontier >= 50,
    });
    const signal = selectSignal(run.state);
    expect(signal.gaps).toEqual([20]);
    for (const { value } of signal.averages) expect(value).not.toBeNaN();
  });
});

describe("selectDetector", () => {
  it("has every condition met exactly when the rule fires, at every boundary", () => {
    const shape = fc.record({
      rise: fc.integer({ min: 1, max: 12 }),
      // Small ranges make the recorded noise matter, large wiggles keep the signal from settling.
      height: fc.constantFrom(0.002, 0.01, 1),
      floor: fc.constantFrom(0, 1, 20),
      wiggle: fc.constantFrom(0, 0.02, 0.3),
      noise: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 21, maxLength: 21 }),
    });
    const fired = new Set<string>();
    fc.assert(
      fc.property(shape, ({ rise, height, floor, wiggle, noise }) => {
        const value = (point: number): number =>
          height * (floor + Math.min(1, point / rise) + wiggle * (noise[point] ?? 0));
        const { records } = simulateRun({ signal: value, until: (s) => s.interval !== null });
        let state: State | null = null;
        for (const record of records) {
          state = replayRecord(state, record);
          if (state.judgement === null) continue;
          expect(selectDetector(state)!.allMet).toBe(state.judgement.fired);
          if (state.interval !== null) fired.add(state.interval.source);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
    expect([...fired].sort()).toEqual(["cap", "online"]);
  });

  it("shows what is still missing", () => {
    const detector = selectDetector(MOMENTS["waiting"]!().state)!;
    expect(detector).toMatchObject({ phase: "transient", tau: 3, epsilon: 0.02, points: 10, allMet: false });
    expect([detector.moved.met, detector.transient.met, detector.calm.met, detector.noise.met]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe("selectBlocks", () => {
  it("lists the head, then the blocks with the update of their release", () => {
    const blocks = selectBlocks(MOMENTS["unfreezing"]!().state);
    expect(blocks.map(({ name, live, release }) => [name, live, release])).toEqual([
      ["head", true, 0],
      ["layer4", true, 120],
      ["layer3", true, 240],
      ["layer2", false, 360],
      ["layer1", false, 480],
      ["stem", false, 600],
    ]);
    expect(selectNextRelease(MOMENTS["unfreezing"]!().state)).toEqual({ block: "layer2", update: 360 });
  });

  it("knows no releases before k, and none that lie behind the end", () => {
    expect(selectNextRelease(MOMENTS["waiting"]!().state)).toBeNull();
    const config = quickstartConfig({ train: { updates: 300 }, intervention: { k: 120 } });
    const { state } = simulateRun({ config });
    expect(selectLeftFrozen(state)).toEqual(["layer2", "layer1", "stem"]);
    expect(selectNextRelease(state)).toBeNull();
  });
});

describe("selectEvaluation", () => {
  it("averages what came in so far", () => {
    const evaluation = selectEvaluation(MOMENTS["evaluating"]!().state)!;
    expect(evaluation).toMatchObject({ step: 1000, regenerated: true, complete: false });
    expect(evaluation.inDist.map(({ split, value }) => [split, value])).toEqual([["in_dist", 0.9534]]);
    const values = evaluation.ood.map(({ value }) => value!);
    expect(values).toHaveLength(7);
    expect(evaluation.oodMean).toBeCloseTo(values.reduce((a, b) => a + b) / 7, 12);
    expect(selectEvaluation(simulateRun().state)?.complete).toBe(true);
    expect(selectEvaluation(MOMENTS["waiting"]!().state)).toBeNull();
  });
});
