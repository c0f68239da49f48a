import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rampAt, warmingUpAt } from "../../../src/core/intervention/release-warmup.js";
import { nextChangeAfter } from "../../../src/core/intervention/schedule.js";
import { deriveSchedule } from "../../../src/core/intervention/kinds.js";
import type { OperatorChange } from "../../../src/core/state.js";
import { intervalOf, interventionOf, modelOf, schedule } from "./schedules.js";

const warmedUp = (k: number | null, W: number, operatorChanges: readonly OperatorChange[] = []) => {
  const intervention = interventionOf("gradual_unfreezing", `intervention.release_warmup=${W}`);
  return deriveSchedule({ intervention, model: modelOf(3), interval: intervalOf(k), operatorChanges, seed: 0 });
};

/** What each block's rate is multiplied by in an update, where it is not 1. */
function rampsAt(derived: ReturnType<typeof warmedUp>, update: number): Record<string, number> {
  const shares = warmingUpAt(derived, update).flatMap((ramp) =>
    ramp.blocks.map((block) => [block, rampAt(ramp, update)] as const),
  );
  return Object.fromEntries(shares);
}

describe("a release warm-up", () => {
  it("multiplies the rate of a released block by i / W in its first W updates", () => {
    const derived = warmedUp(10, 4);
    expect([9, 10, 11, 12, 13, 20].map((update) => rampsAt(derived, update))).toEqual([
      {},
      { b3: 1 / 4 },
      { b3: 2 / 4 },
      { b3: 3 / 4 },
      {},
      { b2: 1 / 4 },
    ]);
    expect([1, 4, 5, 100].map((update) => rampAt({ since: 1, num_updates: 4 }, update))).toEqual([0.25, 1, 1, 1]);
  });

  it("overlaps with the next one's where W is larger than k", () => {
    expect(rampsAt(warmedUp(2, 5), 6)).toEqual({ b2: 3 / 5, b1: 1 / 5 });
    expect(warmingUpAt(warmedUp(2, 5), 5)).toEqual([
      { blocks: ["b3"], since: 2, num_updates: 5 },
      { blocks: ["b2"], since: 4, num_updates: 5 },
    ]);
  });

  it("begins with an operator's unfreezing too, together for blocks that are released together", () => {
    expect(rampsAt(warmedUp(null, 3, [{ kind: "unfreeze", update: 7 }]), 8)).toEqual({ b3: 2 / 3 });
    const intervention = interventionOf("head_then_full", "intervention.release_warmup=3");
    const input = { intervention, model: modelOf(3, 1), interval: intervalOf(6), operatorChanges: [], seed: 0 };
    expect(warmingUpAt(deriveSchedule(input), 6)).toEqual([{ blocks: ["b2", "b1"], since: 6, num_updates: 3 }]);
  });

  it("is none by default, and in interventions that release nothing", () => {
    for (const kind of ["gradual_unfreezing", "head_then_full", "learning_rate_switch", "none"] as const) {
      expect(warmingUpAt(schedule(kind, 10), 10)).toEqual([]);
    }
  });

  it("needs no boundary of its own, and none to be told in full at any update", () => {
    const small = fc.integer({ min: 2, max: 30 });
    fc.assert(
      fc.property(small, small, fc.integer({ min: 0, max: 120 }), (k, W, update) => {
        const derived = warmedUp(k, W);
        expect(nextChangeAfter(derived, update)).toBe(nextChangeAfter(schedule("gradual_unfreezing", k), update));
        // What a grant said at any earlier update since the release says the same of this one.
        for (const ramp of warmingUpAt(derived, update)) {
          expect(rampAt(ramp, update)).toBeLessThan(1);
          expect(rampAt(ramp, ramp.since)).toBe(1 / W);
          expect(rampAt(ramp, ramp.since + W - 1)).toBe(1);
          expect(warmingUpAt(derived, ramp.since)).toContainEqual(ramp);
        }
      }),
    );
  });
});
