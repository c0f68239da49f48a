import { describe, expect, it } from "vitest";
import {
  selectBlocks,
  selectComingStart,
  selectLeftFrozen,
  selectNextRelease,
  selectPhase,
  selectProbeShare,
  selectRemoval,
  selectSecondsLeft,
  selectSignal,
  selectStep,
  selectUpdatesPerSecond,
} from "../../src/reading/selectors.js";
import { quickstartConfig, simulateRun } from "../support/journal-builder.js";
import { MOMENTS } from "../support/moments.js";
import { factsOf } from "../support/worker-facts.js";

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

describe("a late start", () => {
  const config = quickstartConfig("train.updates=600", "intervention.start=101", "intervention.k=120");
  const online = quickstartConfig("train.updates=600", "intervention.start=101");

  it("is a phase of ordinary training, until the worker stands at the start", () => {
    const { state } = simulateRun({ config: online, until: ({ progress: { latest: progress } }) => progress !== null });
    expect([selectPhase(state), selectComingStart(state)]).toEqual(["training", 101]);
    expect(selectBlocks(state).every(({ live }) => live)).toBe(true);
    expect(selectSignal(state).nextPoint).toBe(101);
    const begun = simulateRun({ config: online, until: ({ progress }) => progress.frontier === 101 }).state;
    expect([selectPhase(begun), selectComingStart(begun)]).toEqual(["searching", null]);
  });

  it("shifts what is counted from it", () => {
    const { state } = simulateRun({ config: online });
    expect(state.interval).toMatchObject({ k: 100, source: "cap", decidedAt: 200 });
    expect(selectSignal(state)).toMatchObject({ origin: 100, latest: { k: 100, update: 200 }, decidedAt: 200 });
    expect([selectRemoval(state), selectRemoval(simulateRun({ config }).state)]).toEqual([200, 220]);
    expect(
      selectRemoval(simulateRun({ config: online, until: ({ progress }) => progress.frontier > 1 }).state),
    ).toBeNull();
  });
});

describe("progress", () => {
  it("counts completed updates: boundary i stands after i - 1 of them", () => {
    const { state } = MOMENTS["waiting"]!();
    expect(factsOf(state.attempt).update).toBe(90);
    expect(selectStep(state)).toBe(89);
  });

  it("estimates the rest from the present speed, and nothing once the run has ended", () => {
    const { state } = MOMENTS["unfreezing"]!();
    const rate = selectUpdatesPerSecond(state)!;
    expect(rate).toBeCloseTo(1 / 0.045);
    expect(selectSecondsLeft(state)).toBeCloseTo((1000 - selectStep(state)) * 0.045);
    expect(selectProbeShare(state)).toBeCloseTo(state.progress.seconds.probe / state.progress.seconds.train);
    expect(selectSecondsLeft(simulateRun().state)).toBeNull();
  });
});

describe("selectSignal", () => {
  it("knows the decision and its limit", () => {
    const signal = selectSignal(MOMENTS["decided"]!().state);
    expect(signal).toMatchObject({ signal: "fisher_trace", decidedAt: 120, nextPoint: null });
    expect(signal).toMatchObject({ origin: 0, latest: { k: 200, update: 200 } });
  });

  it("foresees the next point while k is searched for", () => {
    expect(selectSignal(MOMENTS["waiting"]!().state).nextPoint).toBe(100);
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
    const config = quickstartConfig("train.updates=300", "intervention.k=120");
    const { state } = simulateRun({ config });
    expect(selectLeftFrozen(state)).toEqual(["layer2", "layer1", "stem"]);
    expect(selectNextRelease(state)).toBeNull();
  });
});
