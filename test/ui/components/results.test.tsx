import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import type { Evaluation, State } from "../../../src/core/state.js";
import { ResultPanel } from "../../../src/ui/components/results.js";
import { evaluationSeries } from "../../../src/core/scores.js";
import { evaluationOf } from "../../support/evaluation-of.js";
import { simulateRun } from "../../support/journal-builder.js";

const CIFAR_C = [
  ..."gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow".split(" "),
  ..."frost fog brightness contrast elastic_transform pixelate jpeg_compression".split(" "),
  ..."speckle_noise gaussian_blur spatter saturate".split(" "),
];

/** The nineteen corruptions of JPEG images, without frost. */
function evaluated(): State {
  const { state } = simulateRun();
  const step = state.scores.evaluations.at(-1)!.step;
  const usual = { step, numExamples: 1000, fromJpeg: true };
  const score = (split: string, values: Evaluation["values"], leftOut: string | null) =>
    evaluationOf(split, values, { ...usual, regenerated: split !== "in_dist", leftOut });
  const corruptions = CIFAR_C.map((name, index) => {
    if (name === "frost") return score("ood/frost", {}, "no textures");
    return score(`ood/${name}`, { accuracy: 0.8 - index / 100 }, name.startsWith("jpeg") ? "compressed already" : null);
  });
  return {
    ...state,
    scores: {
      ...state.scores,
      evaluations: evaluationSeries([score("in_dist", { accuracy: 0.91 }, null), ...corruptions]),
    },
  };
}

it("shows nineteen corruptions, and in brackets what does not count", () => {
  const panel = <ResultPanel state={evaluated()} rows={13} columns={78} />;
  const frame = stripVTControlCharacters(renderToString(panel, { columns: 78 }));
  expect(`\n${frame}\n`).toMatchInlineSnapshot(`
    "
    ── evaluation, step 1000 ───────────────────────── regenerated, JPEG images ──
     in_dist            91.00 % of 1000
     ood mean           71.24 % of 17 x 1000 images
     gaussian_noise     80.00    brightness         70.00
     shot_noise         79.00    contrast           69.00
     impulse_noise      78.00    elastic_transform  68.00
     defocus_blur       77.00    pixelate           67.00
     glass_blur         76.00    jpeg_compression  (66.0)
     motion_blur        75.00    speckle_noise      65.00
     zoom_blur          74.00    gaussian_blur      64.00
     snow               73.00    spatter            63.00
     frost                (-)    saturate           62.00
     fog                71.00
    "
  `);
});

it("shows the languages of a run on questions, and X-ling of each test set", () => {
  const { state } = simulateRun();
  const step = state.scores.evaluations.at(-1)!.step;
  const score = (split: string, f1: number) =>
    evaluationOf(split, { f1, exact_match: f1 / 2 }, { step, numExamples: 240 });
  const languages = ["en", "ar", "de", "zh"].map((language, index) => score(`ood/xquad/${language}`, 0.5 - index / 16));
  const evaluations = evaluationSeries([score("in_dist", 0.5), ...languages, score("ood/mlqa/zh", 0.25)]);
  const panel = <ResultPanel state={{ ...state, scores: { ...state.scores, evaluations } }} rows={9} columns={78} />;
  const frame = stripVTControlCharacters(renderToString(panel, { columns: 78 }));
  expect(`\n${frame}\n`).toMatchInlineSnapshot(`
    "
    ── evaluation by f1, step 1000 ───────────────────────────────────────────────
     in_dist            50.00 % of 240
     xquad X-ling       37.50 % of 3 languages
     mlqa X-ling        25.00 % of 1 language
     xquad/en           50.00
     xquad/ar           43.75
     xquad/de           37.50
     xquad/zh           31.25
     mlqa/zh            25.00
    "
  `);
});
