import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { probabilityOfImprovement } from "../../src/statistics/improvement.js";
import { SCIPY } from "../vectors/statistics/scipy.js";

const runs = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 });

describe("the probability of improvement", () => {
  it.each(SCIPY.improvement)("of $ours over $theirs is U over the pairs", ({ ours, theirs, value }) => {
    expect(probabilityOfImprovement([{ ours, theirs }])).toBeCloseTo(value, 12);
  });

  it("is the mean over data sets, whatever their sizes", () => {
    const sure = { ours: [1], theirs: [0] };
    const even = { ours: [1, 2, 3], theirs: [2, 2, 2, 2] };
    expect(probabilityOfImprovement([sure, even])).toBe(0.75);
  });

  it("is unknown where one side has no run", () => {
    expect(probabilityOfImprovement([])).toBeNull();
    expect(probabilityOfImprovement([{ ours: [1], theirs: [] }])).toBeNull();
  });

  it("of one and of the other are 1 together", () => {
    fc.assert(
      fc.property(runs, runs, (ours, theirs) => {
        const [there, back] = [
          { ours, theirs },
          { ours: theirs, theirs: ours },
        ];
        expect(probabilityOfImprovement([there])! + probabilityOfImprovement([back])!).toBeCloseTo(1, 12);
      }),
    );
  });
});
