import { describe, expect, it } from "vitest";
import { completedUpdates, composeResults } from "../../src/core/results.js";
import { evaluationOf } from "./evaluation-of.js";
import { simulatedConfig, SimulatedRun } from "./simulated-run.js";

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
      weights_sha256: state.weightsSha256,
      wall_seconds: 12.5,
      train_seconds: state.seconds.train,
      attempts: 1,
      bit_identical: { promised: true, dropped_because: [] },
      message: null,
    });
  });

  it("name the blocks that stayed frozen", () => {
    const { state } = new SimulatedRun(simulatedConfig("intervention.k=25")).finish();
    expect(composeResults(state, 0).left_frozen).toEqual(["block1"]);
  });

  it("take the mean over the corruptions whose accuracy is a number, and none where there is none", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const nan = { non_finite: "nan" } as const;
    const evaluations = [score("ood/fog", 0.5), score("ood/snow", 0.75), score("ood/dust", nan)];
    expect(composeResults({ ...state, evaluations }, 0).ood).toEqual({
      mean: 0.625,
      per_corruption: { fog: 0.5, snow: 0.75 },
      left_out: {},
      made_with: {},
      images_per_corruption: 10,
      regenerated: false,
    });
    expect(composeResults({ ...state, evaluations: [score("ood/dust", nan)] }, 0)).toMatchObject({
      ood: null,
      in_dist: null,
    });
  });

  it("name what a corruption was made with", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const evaluations = [score("ood/fog", 0.5), { ...score("ood/frost", 0.75), madeWith: "pictures" }];
    expect(composeResults({ ...state, evaluations }, 0).ood).toMatchObject({
      mean: 0.625,
      made_with: { frost: "pictures" },
    });
  });

  it("keep out of the mean what is left out, and say why and that the images are a JPEG copy", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    const jpeg = { ...score("ood/jpeg_compression", 1), leftOut: "compressed already" };
    const frost = { ...score("ood/frost", 0), values: {}, leftOut: "no textures" };
    const evaluations = [score("ood/fog", 0.5), jpeg, frost].map((entry) => ({ ...entry, fromJpeg: true }));
    expect(composeResults({ ...state, evaluations }, 0)).toMatchObject({
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
    const run = new SimulatedRun(simulatedConfig()).until(({ frontier }) => frontier >= 8);
    run.act({ do: "interrupt" });
    run.until(({ end }) => end !== null);
    expect(completedUpdates(run.state)).toBe(run.state.checkpoints.at(-1)!.step);
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
