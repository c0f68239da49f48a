import { expect, it } from "vitest";
import { learningRateFactors } from "../../../src/core/intervention/factors.js";
import { learningRateFactorAt, nextChangeAfter } from "../../../src/core/intervention/schedule.js";
import type { OperatorChange } from "../../../src/core/state.js";
import { schedule } from "./schedules.js";

it("are 1 from the beginning where nothing changes them", () => {
  expect(learningRateFactors([])).toEqual([{ update: 0, factor: 1 }]);
  expect(learningRateFactors([{ kind: "unfreeze", update: 3 }])).toEqual([{ update: 0, factor: 1 }]);
});

it("multiply the intervention's with the operator's latest", () => {
  const changes: OperatorChange[] = [
    { kind: "learningRate", update: 3, factor: 0.5 },
    { kind: "learningRate", update: 9, factor: 4 },
    { kind: "learningRate", update: 9, factor: 3 },
  ];
  const both = schedule("learning_rate_switch", 7, 3, changes);
  expect([2, 3, 6, 7, 8, 9, 50].map((update) => learningRateFactorAt(both, update))).toEqual([
    0.1,
    0.1 * 0.5,
    0.1 * 0.5,
    0.5,
    0.5,
    3,
    3,
  ]);
  expect([0, 3, 7, 9].map((update) => nextChangeAfter(both, update))).toEqual([3, 7, 9, null]);
});
