import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.js";
import {
  blocksLeftFrozen,
  countParameters,
  deriveSchedule,
  learningRateFactorAt,
  nextChangeAfter,
  trainableAt,
  type Schedule,
} from "../../src/core/schedule.js";
import type { Interval, Model, OperatorChange } from "../../src/core/state.js";
import { simulatedConfig } from "./simulated-run.js";

function modelOf(numBlocks: number, numFromStart = 0): Model {
  const blocks = Array.from({ length: numBlocks }, (_, index) => ({
    name: `b${numBlocks - index}`,
    numParams: 10,
    trainableFromStart: index < numFromStart,
  }));
  const abilities = { canCheckpoint: true, canEvaluate: true, canValidate: false, canKeepBest: false };
  const rest = { updatesPerEpoch: null, ...abilities, device: "cpu", threads: 1 };
  return { blocks, head: { name: "head", numParams: 5 }, numUpdates: null, ...rest };
}

function intervalOf(k: number | null): Interval | null {
  const rest = { source: "fixed", signal: null, decidedAt: 0, kOffline: null, kOfflineReason: null } as const;
  return k === null ? null : { k, ...rest };
}

function schedule(
  kind: Config["intervention"]["kind"],
  k: number | null,
  numBlocks = 3,
  operatorChanges: readonly OperatorChange[] = [],
): Schedule {
  const { intervention } = simulatedConfig(`intervention.kind=${kind}`);
  return deriveSchedule({ intervention, model: modelOf(numBlocks), interval: intervalOf(k), operatorChanges, seed: 0 });
}

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

/** Releases with k = 10 of three blocks, b3 on top, under other settings of the intervention. */
function releasesWith(...overrides: string[]): string[] {
  const { intervention } = simulatedConfig(...overrides);
  const input = { intervention, model: modelOf(3), interval: intervalOf(10), operatorChanges: [], seed: 7 };
  return deriveSchedule(input).releases.map(({ block, update }) => `${block} at ${update}`);
}

describe("the controls of gradual unfreezing", () => {
  it("turn the order round", () => {
    expect(releasesWith("intervention.order=bottom_up")).toEqual(["b1 at 10", "b2 at 20", "b3 at 30"]);
  });

  it("unfreeze the first block at 2k, as the code of [41]", () => {
    expect(releasesWith("intervention.first_unfreeze=paper41")).toEqual(["b3 at 20", "b2 at 30", "b1 at 40"]);
  });

  it("unfreeze all blocks together", () => {
    expect(releasesWith("intervention.unfreeze=all_at_once")).toEqual(["b3 at 10", "b2 at 10", "b1 at 10"]);
  });
});

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

  it("names what the run's length leaves frozen", () => {
    expect(blocksLeftFrozen(schedule("gradual_unfreezing", 10), modelOf(3), 29)).toEqual(["b1"]);
    expect(blocksLeftFrozen(schedule("gradual_unfreezing", 10), modelOf(3), 30)).toEqual([]);
  });
});

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

  it("multiplies with the operator's latest factor", () => {
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
});

describe("no intervention", () => {
  it("trains everything at the full rate from the first update, and obeys set-lr", () => {
    const none = schedule("none", null, 3, [{ kind: "learningRate", update: 5, factor: 0.5 }]);
    expect(trainableAt(none, 1)).toEqual(["head", "b3", "b2", "b1"]);
    expect([4, 5].map((update) => learningRateFactorAt(none, update))).toEqual([1, 0.5]);
  });
});

describe("countParameters", () => {
  it("adds head and blocks by name", () => {
    expect(countParameters(modelOf(3), ["head", "b3", "b1"])).toBe(25);
  });
});
