import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { finiteScores, languageOf, scoreLanguages } from "../../src/reading/language-scores.js";
import { evaluationOf } from "../support/evaluation-of.js";

const NAN = { non_finite: "nan" } as const;

describe("languageOf", () => {
  it("takes a test set and a language from a split, and nothing from a corruption or the clean images", () => {
    expect(languageOf("ood/xquad/de")).toEqual({ testSet: "xquad", language: "de" });
    expect(languageOf("ood/fog")).toBeNull();
    expect(languageOf("in_dist")).toBeNull();
    expect(languageOf("development/xquad/de")).toBeNull();
  });
});

describe("finiteScores", () => {
  it("leaves out what is no number, and what a split's own mean is made of", () => {
    expect(finiteScores({ f1: 0.5, exact_match: NAN, "accuracy/severity_1": 0.5 })).toEqual({ f1: 0.5 });
  });
});

describe("scoreLanguages", () => {
  it("is null where no split has a language", () => {
    expect(
      scoreLanguages([evaluationOf("in_dist", { accuracy: 1 }), evaluationOf("ood/fog", { accuracy: 1 })], undefined),
    ).toBeNull();
  });

  it("has no mean where English is the only language", () => {
    expect(scoreLanguages([evaluationOf("ood/xquad/en", { f1: 0.5 })], undefined)).toEqual({
      xquad: { per_language: { en: { f1: 0.5, num_examples: 10 } }, cross_lingual: null, scorer: null },
    });
  });

  it("says whose rules compared answers", () => {
    const overrides = ["data.tests=[{name: xquad, source: ./a}, {name: mlqa, source: ./b}]"];
    const { data } = loadConfig({ source: "squad-xlmr-lora", overrides, env: {}, cwd: "/" });
    const scores = scoreLanguages(
      [evaluationOf("ood/xquad/de", { f1: 1 }), evaluationOf("ood/mlqa/de", { f1: 1 })],
      data,
    );
    expect([scores!["xquad"]!.scorer, scores!["mlqa"]!.scorer]).toEqual(["squad", "mlqa"]);
  });

  it("takes the mean of the scores that all foreign languages have", () => {
    const evaluations = [
      evaluationOf("ood/xquad/en", { f1: 1, exact_match: 1 }),
      evaluationOf("ood/xquad/de", { f1: 0.5, exact_match: 0.25 }),
      evaluationOf("ood/xquad/zh", { f1: 0.25, exact_match: NAN }),
    ];
    expect(scoreLanguages(evaluations, undefined)!["xquad"]!.cross_lingual).toEqual({ f1: 0.375 });
  });

  it("weighs each foreign language the same, whatever its place and whatever English has", () => {
    const codes = fc.uniqueArray(fc.constantFrom("ar", "de", "el", "es", "hi", "zh"), { minLength: 1 });
    fc.assert(
      fc.property(codes, fc.integer({ min: 0, max: 4 }), fc.nat(6), (languages, english, place) => {
        const foreign = languages.map((language, index) =>
          evaluationOf(`ood/xquad/${language}`, { f1: (index % 5) / 4 }),
        );
        const all = foreign.toSpliced(place, 0, evaluationOf("ood/xquad/en", { f1: english / 4 }));
        const sum = languages.reduce((total, _, index) => total + (index % 5) / 4, 0);
        expect(scoreLanguages(all, undefined)!["xquad"]!.cross_lingual!["f1"]).toBeCloseTo(sum / languages.length, 12);
      }),
    );
  });
});
