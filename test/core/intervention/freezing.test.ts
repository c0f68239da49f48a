import { describe, expect, it } from "vitest";
import { freezingSchedule, releasedBlocks } from "../../../src/core/intervention/freezing.js";
import { interventionOf, modelOf } from "./schedules.js";

describe("the blocks to be unfrozen", () => {
  it("come from the top down, without those that train from the start", () => {
    expect(releasedBlocks(modelOf(3)).map(({ name }) => name)).toEqual(["b3", "b2", "b1"]);
    expect(releasedBlocks(modelOf(3, 1)).map(({ name }) => name)).toEqual(["b2", "b1"]);
  });
});

describe("a schedule that freezes", () => {
  const model = modelOf(3, 1);
  const frozen = (updates: readonly number[], unfreezings: readonly number[] = [], ...overrides: string[]) =>
    freezingSchedule(
      {
        intervention: interventionOf("gradual_unfreezing", ...overrides),
        model,
        operatorChanges: unfreezings.map((update) => ({ kind: "unfreeze", update })),
      },
      ["b2", "b1"],
      updates,
    );

  it("leaves the head trainable, and what trains with it", () => {
    expect(frozen([])).toMatchObject({ initial: ["head", "b3"], all: ["head", "b3", "b2", "b1"], releases: [] });
  });

  it("freezes where the intervention starts: in the first update from the beginning", () => {
    expect(frozen([]).frozenFrom).toBe(0);
    expect(frozen([], [], "intervention.start=8").frozenFrom).toBe(8);
  });

  it("releases the next block in each update, an operator's among them, until none is left", () => {
    expect(frozen([10, 20]).releases).toEqual([
      { update: 10, block: "b2" },
      { update: 20, block: "b1" },
    ]);
    expect(frozen([10, 20], [4]).releases).toEqual([
      { update: 4, block: "b2" },
      { update: 10, block: "b1" },
    ]);
  });
});
