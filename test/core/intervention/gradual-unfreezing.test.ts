import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradualUnfreezing } from "../../../src/core/intervention/gradual-unfreezing.js";
import { blocksLeftFrozen, nextChangeAfter, trainableAt } from "../../../src/core/intervention/schedule.js";
import { interventionOf, modelOf, releasesWith, schedule } from "./schedules.js";

/** Algorithm 1, word for word. */
function algorithm1(k: number, numBlocks: number, numUpdates: number): string[][] {
  const frozen = modelOf(numBlocks).blocks.map(({ name }) => name);
  const trainable = ["head"];
  const history: string[][] = [];
  for (let i = 1; i <= numUpdates; i += 1) {
    if (i % k === 0 && i <= k * numBlocks) trainable.push(frozen.shift()!);
    history.push([...trainable]);
  }
  return history;
}

describe("gradual unfreezing", () => {
  it("is Algorithm 1", () => {
    const sizes = [fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200 })];
    fc.assert(
      fc.property(...(sizes as [fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>]), (k, L, N) => {
        const derived = schedule("gradual_unfreezing", k, L);
        const ours = Array.from({ length: N }, (_, index) => trainableAt(derived, index + 1));
        expect(ours).toEqual(algorithm1(k, L, N));
      }),
    );
  });

  it("trains the head alone as long as k is unknown", () => {
    const undecided = schedule("gradual_unfreezing", null);
    expect(trainableAt(undecided, 1_000_000)).toEqual(["head"]);
    expect(nextChangeAfter(undecided, 0)).toBeNull();
    expect(blocksLeftFrozen(undecided, modelOf(3), 100)).toEqual(["b3", "b2", "b1"]);
  });

  it("takes the next block early for an operator and leaves k", () => {
    const early = schedule("gradual_unfreezing", 10, 3, [{ kind: "unfreeze", update: 15 }]);
    expect(early.releases).toEqual([
      { update: 10, block: "b3" },
      { update: 15, block: "b2" },
      { update: 20, block: "b1" },
    ]);
  });

  it("takes two blocks where an operator and k meet", () => {
    const both = schedule("gradual_unfreezing", 10, 3, [{ kind: "unfreeze", update: 20 }]);
    expect([19, 20].map((update) => trainableAt(both, update).length)).toEqual([2, 4]);
  });
});

describe("its controls", () => {
  it("turn the order round", () => {
    expect(releasesWith("intervention.order=bottom_up")).toEqual(["b1 at 10", "b2 at 20", "b3 at 30"]);
  });

  it("unfreeze the first block at 2k, as the code of [41]", () => {
    expect(releasesWith("intervention.first_unfreeze=paper41")).toEqual(["b3 at 20", "b2 at 30", "b1 at 40"]);
  });
});

describe("the largest k of gradual unfreezing", () => {
  const latest = (first: "next" | "paper41", numBlocks: number, numFromStart = 0): number =>
    gradualUnfreezing.latestInterval(
      interventionOf("gradual_unfreezing", `intervention.first_unfreeze=${first}`),
      100,
      modelOf(numBlocks, numFromStart),
    );

  it("still unfreezes the last block within the run", () => {
    expect([latest("next", 3), latest("paper41", 3)]).toEqual([33, 25]);
  });

  it("counts no block that trains from the start", () => {
    expect(latest("next", 3, 1)).toBe(50);
  });
});

it("refuses no request of an operator", () => {
  expect([gradualUnfreezing.refusal("unfreeze"), gradualUnfreezing.refusal("set-lr")]).toEqual([null, null]);
});
