import { describe, expect, it } from "vitest";
import { headThenFull } from "../../../src/core/intervention/head-then-full.js";
import { nextChangeAfter, trainableAt } from "../../../src/core/intervention/schedule.js";
import { interventionOf, modelOf, releasesWith, schedule } from "./schedules.js";

describe("head, then everything", () => {
  it("trains the head alone until k, then all blocks", () => {
    expect(releasesWith("intervention.kind=head_then_full")).toEqual(["b3 at 10", "b2 at 10", "b1 at 10"]);
    const undecided = schedule("head_then_full", null);
    expect(trainableAt(undecided, 1_000_000)).toEqual(["head"]);
    const decided = schedule("head_then_full", 10);
    expect([9, 10].map((update) => trainableAt(decided, update).length)).toEqual([1, 4]);
    expect(nextChangeAfter(decided, 10)).toBeNull();
  });

  it("lets an operator take a block early, and releases the rest at k", () => {
    const decided = schedule("head_then_full", 10, 3, [{ kind: "unfreeze", update: 4 }]);
    expect(decided.releases.map(({ block, update }) => `${block} at ${update}`)).toEqual([
      "b3 at 4",
      "b2 at 10",
      "b1 at 10",
    ]);
  });
});

it("is over after a quarter of the run at the latest, whatever the number of blocks", () => {
  const intervention = interventionOf("head_then_full");
  expect([1, 7].map((blocks) => headThenFull.latestInterval(intervention, 103, modelOf(blocks)))).toEqual([25, 25]);
});

it("refuses no request of an operator", () => {
  expect([headThenFull.refusal("unfreeze"), headThenFull.refusal("set-lr")]).toEqual([null, null]);
});
