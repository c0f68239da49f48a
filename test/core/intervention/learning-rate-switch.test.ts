import { describe, expect, it } from "vitest";
import { learningRateSwitch } from "../../../src/core/intervention/learning-rate-switch.js";
import { learningRateFactorAt, nextChangeAfter, trainableAt } from "../../../src/core/intervention/schedule.js";
import { interventionOf, modelOf, schedule } from "./schedules.js";

describe("learning-rate switch", () => {
  it("is lr(i) = before if i < k else after, with everything trainable", () => {
    const switched = schedule("learning_rate_switch", 7);
    const factors = Array.from({ length: 12 }, (_, index) => learningRateFactorAt(switched, index + 1));
    expect(factors).toEqual([...Array<number>(6).fill(0.1), ...Array<number>(6).fill(1)]);
    expect(trainableAt(switched, 1)).toEqual(["head", "b3", "b2", "b1"]);
    expect([nextChangeAfter(switched, 1), nextChangeAfter(switched, 7)]).toEqual([7, null]);
  });

  it("stays at before as long as k is unknown", () => {
    expect(learningRateFactorAt(schedule("learning_rate_switch", null), 1000)).toBe(0.1);
  });
});

it("comes after a quarter of the run at the latest", () => {
  expect(learningRateSwitch.latestInterval(interventionOf("learning_rate_switch"), 103, modelOf(3))).toBe(25);
});

it("refuses to unfreeze, and nothing else", () => {
  expect(learningRateSwitch.refusal("unfreeze")).toBe("this run freezes nothing");
  expect(learningRateSwitch.refusal("set-lr")).toBeNull();
});
