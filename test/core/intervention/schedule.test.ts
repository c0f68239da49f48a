import { describe, expect, it } from "vitest";
import {
  blocksLeftFrozen,
  countParameters,
  everythingTrains,
  learningRateFactorAt,
  nextChangeAfter,
  trainableAt,
  trainableBefore,
  type Schedule,
} from "../../../src/core/intervention/schedule.js";
import { modelOf, schedule } from "./schedules.js";

/** Frozen in update 5, released in 10 and 20; the learning rate changes in 10. */
const LATE: Schedule = {
  all: ["head", "b2", "b1"],
  frozenFrom: 5,
  initial: ["head"],
  releases: [
    { update: 10, block: "b2" },
    { update: 20, block: "b1" },
  ],
  factors: [
    { update: 0, factor: 1 },
    { update: 10, factor: 0.5 },
  ],
  releaseWarmup: null,
};

describe("a schedule", () => {
  it("says what trains in an update, and at which factor", () => {
    expect([4, 5, 9, 10, 20].map((update) => trainableAt(LATE, update).join(" "))).toEqual([
      "head b2 b1",
      "head",
      "head",
      "head b2",
      "head b2 b1",
    ]);
    expect([0, 9, 10, 99].map((update) => learningRateFactorAt(LATE, update))).toEqual([1, 1, 0.5, 0.5]);
  });

  it("says what a worker that stands before an update holds: what trained before, but frozen where that begins", () => {
    expect([5, 6, 10, 11].map((update) => trainableBefore(LATE, update).length)).toEqual([1, 1, 1, 2]);
  });

  it("names each update in which something changes", () => {
    expect([0, 5, 10, 20].map((update) => nextChangeAfter(LATE, update))).toEqual([5, 10, 20, null]);
  });

  it("names what the run's length leaves frozen", () => {
    expect(blocksLeftFrozen(schedule("gradual_unfreezing", 10), modelOf(3), 29)).toEqual(["b1"]);
    expect(blocksLeftFrozen(schedule("gradual_unfreezing", 10), modelOf(3), 30)).toEqual([]);
  });

  it("trains everything where nothing is frozen", () => {
    const free = { ...everythingTrains(modelOf(2)), factors: [] };
    expect([trainableAt(free, 1), trainableBefore(free, 1)]).toEqual(Array(2).fill(["head", "b2", "b1"]));
    expect(nextChangeAfter(free, 0)).toBeNull();
  });
});

describe("countParameters", () => {
  it("adds head and blocks by name", () => {
    expect(countParameters(modelOf(3), ["head", "b3", "b1"])).toBe(25);
  });
});
