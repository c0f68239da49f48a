import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../../src/config/checks/suggestions.js";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["tau", "tau", 0],
    ["tau", "", 3],
    ["learning_rat", "learning_rate", 1],
    ["lerning_rate", "learning_rate", 1],
    ["batch_sise", "batch_size", 1],
    ["onlien", "online", 1],
    ["kitten", "sitting", 3],
  ])("from %j to %j is %i", (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
  });

  it("is symmetric, and zero only between equal words", () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (left, right) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left));
        expect(editDistance(left, right) === 0).toBe(left === right);
        expect(editDistance(left, right)).toBeLessThanOrEqual(Math.max(left.length, right.length));
      }),
    );
  });
});

describe("nearest", () => {
  it("proposes the closest candidate and nothing far-fetched", () => {
    expect(nearest("Epoch", ["updates", "epochs"])).toBe("epochs");
    expect(nearest("lr", ["learning_rate", "seed"])).toBeNull();
    expect(nearest("x", [])).toBeNull();
  });
});
