import { describe, expect, it } from "vitest";
import { noIntervention } from "../../../src/core/intervention/no-intervention.js";
import { learningRateFactorAt, trainableAt } from "../../../src/core/intervention/schedule.js";
import { schedule } from "./schedules.js";

describe("no intervention", () => {
  it("trains everything at the full rate from the first update, and obeys set-lr", () => {
    const none = schedule("none", null, 3, [{ kind: "learningRate", update: 5, factor: 0.5 }]);
    expect(trainableAt(none, 1)).toEqual(["head", "b3", "b2", "b1"]);
    expect([4, 5].map((update) => learningRateFactorAt(none, update))).toEqual([1, 0.5]);
  });
});

it("refuses to unfreeze, and nothing else", () => {
  expect(noIntervention.refusal("unfreeze")).toBe("this run freezes nothing");
  expect(noIntervention.refusal("pause")).toBeNull();
});
