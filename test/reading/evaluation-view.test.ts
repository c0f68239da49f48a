import { describe, expect, it } from "vitest";
import { selectEvaluation } from "../../src/reading/evaluation-view.js";
import { evaluationSeries } from "../../src/core/scores.js";
import { evaluationOf } from "../support/evaluation-of.js";
import { simulateRun } from "../support/journal-builder.js";
import { MOMENTS } from "../support/moments.js";

describe("selectEvaluation", () => {
  it("averages what came in so far", () => {
    const evaluation = selectEvaluation(MOMENTS["evaluating"]!().state)!;
    expect(evaluation).toMatchObject({
      step: 1000,
      origin: { regenerated: true, fromJpeg: false },
      complete: false,
    });
    expect(evaluation.inDist.map(({ split, value }) => [split, value])).toEqual([["in_dist", 0.9534]]);
    const values = evaluation.ood.map(({ value }) => value!);
    expect(values).toHaveLength(7);
    expect(evaluation.means).toEqual([
      { testSet: null, value: expect.closeTo(values.reduce((a, b) => a + b) / 7, 12) as number, numCompared: 7 },
    ]);
    expect(selectEvaluation(simulateRun().state)?.complete).toBe(true);
    expect(selectEvaluation(MOMENTS["waiting"]!().state)).toBeNull();
  });

  it("averages each test set over its languages but English, by the score that comes first", () => {
    const { state } = simulateRun();
    const step = state.scores.evaluations.at(-1)!.step;
    const score = (split: string, f1: number | { non_finite: "nan" }) =>
      evaluationOf(split, { f1, exact_match: 0 }, { step });
    const evaluations = [
      score("in_dist", 0.9),
      score("ood/xquad/en", 0.9),
      score("ood/xquad/de", 0.5),
      score("ood/xquad/zh", 0.25),
      score("ood/mlqa/de", 0.125),
      score("ood/mlqa/zh", { non_finite: "nan" }),
    ];
    const evaluation = selectEvaluation({
      ...state,
      scores: { ...state.scores, evaluations: evaluationSeries(evaluations) },
    })!;
    expect(evaluation.score).toBe("f1");
    expect(evaluation.inDist.map(({ value }) => value)).toEqual([0.9]);
    expect(evaluation.ood.map(({ split }) => split)).toEqual([
      "xquad/en",
      "xquad/de",
      "xquad/zh",
      "mlqa/de",
      "mlqa/zh",
    ]);
    expect(evaluation.means).toEqual([
      { testSet: "xquad", value: 0.375, numCompared: 2 },
      { testSet: "mlqa", value: 0.125, numCompared: 1 },
    ]);
  });
});
