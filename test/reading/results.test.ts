import { describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/core/state.js";
import { completedUpdates, composeResults } from "../../src/reading/results.js";
import { evaluationSeries } from "../../src/core/scores.js";
import { evaluationOf } from "../support/evaluation-of.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

const score = (split: string, accuracy: number | { non_finite: "nan" }) => evaluationOf(split, { accuracy });

describe("results of a finished run", () => {
  it("hold what was decided, reached and spent", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    expect(composeResults(state, 12.5)).toMatchObject({
      run: "r",
      outcome: "finished",
      updates: 60,
      k: {
        value: 16,
        source: "online",
        signal: "fisher_trace",
        decided_at_update: 16,
        k_offline: 6,
        k_offline_reason: null,
        every: 2,
        tau: 3,
        epsilon: 0.02,
      },
      left_frozen: [],
      in_dist: { accuracy: 1 - 1 / 62, num_examples: 100 },
      ood: { mean: 1 - 1 / 62, per_corruption: { fog: 1 - 1 / 62 }, images_per_corruption: 100, regenerated: true },
      weights_sha256: state.weights.sha256,
      wall_seconds: 12.5,
      train_seconds: state.progress.seconds.train,
      attempts: 1,
      bit_identical: { promised: true, dropped_because: [] },
      message: null,
    });
  });

  it("say how far head and blocks had moved at the last boundary, where that is known", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    expect(composeResults(state, 0).moved).toBeNull();
    const names = [state.model!.head, ...state.model!.blocks].map(({ name }) => name);
    const distances = [0.5, null, { non_finite: "inf" } as const, 0.25];
    const moved = { update: 61, distances };
    expect(composeResults({ ...state, progress: { ...state.progress, moved } }, 0).moved).toEqual({
      step: 60,
      blocks: Object.fromEntries(names.map((name, index) => [name, [0.5, null, null, 0.25][index]])),
    });
  });

  it("name the blocks that stayed frozen", () => {
    const { state } = new SimulatedRun(simulatedConfig("intervention.k=25")).finish();
    expect(composeResults(state, 0).left_frozen).toEqual(["block1"]);
  });

  it("name the blocks whose warm-up the end cut short", () => {
    const { state } = new SimulatedRun(simulatedConfig("intervention.k=20", "intervention.release_warmup=25")).finish();
    expect(composeResults(state, 0).release_warmup).toEqual({ updates: 25, unfinished: ["block2", "block1"] });
    const short = new SimulatedRun(simulatedConfig("intervention.k=20", "intervention.release_warmup=2"));
    expect(composeResults(short.until(({ progress }) => progress.frontier >= 40).state, 0).release_warmup).toEqual({
      updates: 2,
      unfinished: [],
    });
    expect(composeResults(new SimulatedRun(simulatedConfig()).finish().state, 0).release_warmup).toBeNull();
  });

  it("take the mean over the corruptions whose accuracy is a number, and none where there is none", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const nan = { non_finite: "nan" } as const;
    const evaluations = [score("ood/fog", 0.5), score("ood/snow", 0.75), score("ood/dust", nan)];
    expect(
      composeResults({ ...state, scores: { ...state.scores, evaluations: evaluationSeries(evaluations) } }, 0).ood,
    ).toEqual({
      mean: 0.625,
      per_corruption: { fog: 0.5, snow: 0.75 },
      left_out: {},
      made_with: {},
      images_per_corruption: 10,
      regenerated: false,
      clean: null,
      last_epochs: null,
    });
    expect(
      composeResults(
        { ...state, scores: { ...state.scores, evaluations: evaluationSeries([score("ood/dust", nan)]) } },
        0,
      ),
    ).toMatchObject({
      ood: null,
      in_dist: null,
    });
  });

  it("have the clean images as the corrupted ones are read, and no row in the mean for them", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const clean = evaluationOf("clean", { accuracy: 0.25, "accuracy/direct": 1 });
    const evaluations = [score("in_dist", 1), clean, score("ood/fog", 0.5)];
    expect(
      composeResults({ ...state, scores: { ...state.scores, evaluations: evaluationSeries(evaluations) } }, 0),
    ).toMatchObject({
      in_dist: { accuracy: 1 },
      ood: { mean: 0.5, clean: { as_corrupted: 0.25, direct: 1 } },
    });
  });

  it("name what a corruption was made with", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const evaluations = [
      score("ood/fog", 0.5),
      evaluationOf("ood/frost", { accuracy: 0.75 }, { madeWith: "pictures" }),
    ];
    expect(
      composeResults({ ...state, scores: { ...state.scores, evaluations: evaluationSeries(evaluations) } }, 0).ood,
    ).toMatchObject({
      mean: 0.625,
      made_with: { frost: "pictures" },
    });
  });

  it("keep out of the mean what is left out, and say why and that the images are a JPEG copy", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const ofJpeg = (corruption: string, values: Evaluation["values"], leftOut: string | null) =>
      evaluationOf(`ood/${corruption}`, values, { fromJpeg: true, leftOut });
    const evaluations = [
      ofJpeg("fog", { accuracy: 0.5 }, null),
      ofJpeg("jpeg_compression", { accuracy: 1 }, "compressed already"),
      ofJpeg("frost", {}, "no textures"),
    ];
    expect(
      composeResults({ ...state, scores: { ...state.scores, evaluations: evaluationSeries(evaluations) } }, 0),
    ).toMatchObject({
      ood: {
        mean: 0.5,
        per_corruption: { fog: 0.5, jpeg_compression: 1 },
        left_out: { jpeg_compression: "compressed already", frost: "no textures" },
      },
      images_from_jpeg: true,
    });
  });
});

describe("results of a run that was stopped", () => {
  it("count the updates that are certainly in the weights, and say why it ended", () => {
    const run = new SimulatedRun(simulatedConfig()).until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "interrupt" });
    run.until(({ end }) => end !== null);
    expect(completedUpdates(run.state)).toBe(run.state.weights.checkpoints.at(-1)!.step);
    expect(composeResults(run.state, 1)).toMatchObject({
      outcome: "stopped",
      k: null,
      in_dist: null,
      ood: null,
      weights_sha256: null,
      left_frozen: ["block3", "block2", "block1"],
      message: expect.stringMatching(/^the run was interrupted/) as string,
    });
  });

  it("know of no update before the first boundary", () => {
    expect(completedUpdates(new SimulatedRun(simulatedConfig()).state)).toBe(0);
  });
});
