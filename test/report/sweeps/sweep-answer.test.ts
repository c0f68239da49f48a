import { describe, expect, it } from "vitest";
import { sweepAnswer } from "../../../src/report/sweeps/sweep-answer.js";
import { armsOf } from "../../../src/report/tables/arms.js";
import { recordedSweep, runWith } from "../../support/recorded-sweep.js";

const recorded = recordedSweep("mnist-width8");
const SEEDS = [0, 1, 2, 3];

/** Runs with these OOD accuracies by seed, condition by condition; the rest is that of a real run. */
function answerOf(scores: Readonly<Record<string, readonly number[]>>) {
  const [real] = recorded.runs;
  const runs = Object.entries(scores).flatMap(([condition, values]) =>
    values.map((mean, seed) => ({
      ...runWith(real!, {}, { ood: { ...real!.results!.ood!, mean } }),
      ...{ id: `${condition}-seed${seed}`, condition, seed },
    })),
  );
  const sweep = { ...recorded, conditions: Object.keys(scores), runs };
  return sweepAnswer(armsOf(sweep), "ood/mean");
}

const standard = [0.6, 0.61, 0.59, 0.6];
/** Better by 1.0 +- 0.46 points: t = 4.3 with three degrees of freedom, p = 0.02. */
const slight = [0.608, 0.622, 0.595, 0.615];
const none = (shift: number): number[] => SEEDS.map((seed) => standard[seed]! + (seed % 2 === 0 ? shift : -shift));

describe("the answer of a sweep", () => {
  it("is the condition whose gain is clear of 0", () => {
    const { headline, sentences } = answerOf({ standard, slight });
    expect(headline).toMatch(
      /^slight is better than standard in OOD accuracy: \+1\.00 points, 95 % interval \[0\.\d+, 1\.\d+\], n = 4 seeds$/,
    );
    expect(sentences).toEqual(["8 of 8 runs finished"]);
  });

  it("is none where that condition is one of many, and says which would have been", () => {
    const { headline, sentences } = answerOf({ standard, slight, a: none(0.01), b: none(0.02), c: none(0.03) });
    expect(headline).toBe("no difference from standard in OOD accuracy beyond the spread of seeds");
    expect(sentences).toContain(
      "each interval is of one comparison; the answer above is of all 4 taken together (Bonferroni)",
    );
    expect(sentences).toContain("alone, and not among 4, slight would differ: such a difference may be chance");
  });

  it("stands where it is clear among all of them too", () => {
    const large = standard.map((value, seed) => value + 0.1 + 0.001 * seed);
    const { headline, sentences } = answerOf({ standard, large, a: none(0.01), b: none(0.02) });
    expect(headline).toMatch(/^large is better .*, n = 4 seeds, also of 3 comparisons taken together$/);
    expect(sentences.join()).not.toContain("chance");
  });

  it("says so where every condition is worse", () => {
    const worse = standard.map((value, seed) => value - 0.1 - 0.001 * seed);
    expect(answerOf({ standard, worse }).headline).toBe("every condition is worse than standard in OOD accuracy");
  });
});
