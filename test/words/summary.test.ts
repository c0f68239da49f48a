import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { composeResults } from "../../src/reading/results.js";
import { summary } from "../../src/words/summary.js";
import { evaluationSeries, validationSeries } from "../../src/core/scores.js";
import { evaluationOf } from "../support/evaluation-of.js";
import { simulatedTextConfig, SimulatedRun } from "../support/simulated-run.js";
import { quickstartConfig, simulateRun, type RecordedRun } from "../support/journal-builder.js";

const runFolder = "runs/quickstart-20261123T120000Z";

function summaryOf({ state }: RecordedRun, color = false): string {
  return summary(composeResults(state, 64.2), { runFolder, state, color });
}

describe("summary", () => {
  it("of a finished run", () => {
    expect(`\n${summaryOf(simulateRun())}\n`).toMatchInlineSnapshot(`
      "
      quickstart-2026-11-23-120000 finished: 1000 updates in 1 min 04 s

        made by     resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper:
                    constant), seed 0
        k           120: tr(F) stabilized (tau 3, epsilon 0.02, a point every 10
                    updates)
                    offline, Algorithm 2 on the same series gives 90
        signals     every 10 updates, of the trainable parameters, over 512 training
                    examples in batches of 256
                    tr(F): labels sampled from the model, per example
        in-dist     95.34 % of 10 000 test images right
        ood         64.30 % mean of 15 corruptions, 2000 images each, regenerated
                    worst impulse_noise 35.60 %, best canny_edges 93.00 %
        time        training 45.0 s, evaluation 19.2 s, checkpoints 0.5 s
                    measuring 0.5 s (1.2 % of training), controller wait 0.0 s
        identity    weights 0123456789abcdef...
        files       runs/quickstart-20261123T120000Z: results.json, journal,
                    checkpoints/

      next
        look     npx thawline watch runs/quickstart-20261123T120000Z
        verify   npx thawline replay runs/quickstart-20261123T120000Z
        what if  npx thawline replay runs/quickstart-20261123T120000Z --what-if tau=8
        seed     npx thawline run runs/quickstart-20261123T120000Z/config.yaml seed=1
      "
    `);
  });

  it("says how far each block has moved, of those that can be compared", () => {
    const { state } = simulateRun();
    const moved = { update: 1001, distances: [0.123, 0.031, 0.0042, 0.00004, null, { non_finite: "nan" } as const] };
    const text = summaryOf({ ...simulateRun(), state: { ...state, progress: { ...state.progress, moved } } });
    expect(text).toContain("  moved       head 12 %, layer4 3.1 %, layer3 0.4 %, layer2 0.004 %\n");
  });

  it("of a run on JPEG images says what is left out of the mean, and why", () => {
    const { state } = simulateRun();
    const leftOut = "the clean images are JPEG files already";
    const evaluations = [...state.scores.evaluations]
      .filter(({ split }) => ["in_dist", "ood/fog", "ood/scale", "ood/zigzag"].includes(split))
      .map((entry) => {
        const madeWith = entry.split === "ood/fog" ? "pictures of clouds 1.0" : null;
        const without = entry.split === "ood/zigzag" ? leftOut : null;
        return { ...entry, provenance: { ...entry.provenance, fromJpeg: true, leftOut: without, madeWith } };
      });
    const text = summaryOf({
      ...simulateRun(),
      state: { ...state, scores: { ...state.scores, evaluations: evaluationSeries(evaluations) } },
    });
    expect(text.slice(text.indexOf("  in-dist"), text.indexOf("  time"))).toMatchInlineSnapshot(`
      "  in-dist     95.34 % of 10 000 test images right, JPEG images
        ood         64.30 % mean of 2 corruptions, 2000 images each, regenerated, JPEG
                    images
                    worst scale 43.80 %, best fog 84.80 %
                    without zigzag (60.20 %): the clean images are JPEG files already
                    fog: pictures of clouds 1.0
      "
    `);
  });

  it("warns where clean images score otherwise when they are read as the corrupted ones are, and only there", () => {
    const { state } = simulateRun();
    const before = [...state.scores.evaluations];
    const { step, provenance, numExamples } = before[0]!;
    const shown = (asCorrupted: number): string => {
      const values = { accuracy: asCorrupted, "accuracy/direct": 0.95 };
      const evaluations = evaluationSeries([...before, { step, split: "clean", values, numExamples, provenance }]);
      return summaryOf({ ...simulateRun(), state: { ...state, scores: { ...state.scores, evaluations } } });
    };
    expect(shown(0.95)).not.toContain("trusted");
    expect(shown(0.11).replace(/\s+/g, " ")).toContain(
      "not to be trusted: clean images have 11.00 % when read as the corrupted ones are, 95.00 % directly",
    );
  });

  it("of a run on text has its scores by language, best first, and the best weights", () => {
    const run = new SimulatedRun(simulatedTextConfig()).finish();
    const scored = (split: string, f1: number) =>
      evaluationOf(split, { f1, exact_match: f1 / 2 }, { numExamples: 240 });
    const evaluations = [
      scored("in_dist", 0.5),
      scored("ood/xquad/en", 0.5),
      scored("ood/xquad/de", 0.25),
      scored("ood/xquad/es", 0.375),
      scored("ood/mlqa/en", 0.5),
    ];
    const { state } = run;
    const best = {
      ...state.scores.validations.at(0)!,
      values: { f1: 0.5, exact_match: 0.25 },
      step: state.weights.best!.step,
    };
    const text = summaryOf({
      records: run.records,
      state: {
        ...state,
        scores: {
          ...state.scores,
          evaluations: evaluationSeries(evaluations),
          validations: validationSeries([best]),
        },
      },
    });
    expect(text.slice(text.indexOf("  in-dist"), text.indexOf("  time"))).toMatchInlineSnapshot(`
      "  in-dist     f1 50.00 %, exact_match 25.00 % of 240 English examples
        x-ling      xquad: f1 31.25 %, exact_match 15.63 %, mean of 2 languages
                    (SQuAD's scorer)
                    en 50.00, es 37.50, de 25.00
                    mlqa: English only (SQuAD's scorer)
                    en 50.00
        best        step 26, by its f1 50.00 %, exact_match 25.00 % on the development
                    set
      "
    `);
    expect(text.slice(text.indexOf("  files"), text.indexOf("\nnext"))).toMatchInlineSnapshot(`
      "  files       runs/quickstart-20261123T120000Z: results.json, journal,
                    checkpoints/, adapter/
      "
    `);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("of a failed run says why and how to go on", () => {
    expect(`\n${summaryOf(simulateRun({ failAt: 130 }))}\n`).toMatchInlineSnapshot(`
      "
      quickstart-2026-11-23-120000 failed: 119 updates in 1 min 04 s

        why         the loss is nan after update 239 at learning rate 0.01
        made by     resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper:
                    constant), seed 0
        k           120: tr(F) stabilized (tau 3, epsilon 0.02, a point every 10
                    updates)
                    offline, Algorithm 2 on the same series gives 90
        signals     every 10 updates, of the trainable parameters, over 512 training
                    examples in batches of 256
                    tr(F): labels sampled from the model, per example
        time        training 5.4 s, evaluation 0.0 s, checkpoints 0.0 s
                    measuring 0.5 s (9.7 % of training), controller wait 0.0 s
        files       runs/quickstart-20261123T120000Z: results.json, journal,
                    worker.log

      next
        go on    npx thawline resume runs/quickstart-20261123T120000Z
        look     npx thawline watch runs/quickstart-20261123T120000Z
        verify   npx thawline replay runs/quickstart-20261123T120000Z
      "
    `);
  });

  it("of a run without intervention claims no k", () => {
    const text = summaryOf(simulateRun({ config: quickstartConfig("intervention.kind=none") }));
    expect(text).toContain("k           none: standard training, without an intervention");
    expect(text).not.toContain("what if");
  });

  it("fits 80 columns and holds colours only when asked", () => {
    for (const run of [simulateRun(), simulateRun({ failAt: 130 })]) {
      const text = summaryOf(run);
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
      expect(text).not.toContain("\u001b");
      expect(stripVTControlCharacters(summaryOf(run, true))).toBe(text);
      expect(summaryOf(run, true)).not.toBe(text);
    }
  });
});
