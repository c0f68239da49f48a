import { describe, expect, it } from "vitest";
import { nextEpochEnd, wantedEpochEnds } from "../../src/core/epoch-ends.js";
import { composeResults } from "../../src/reading/results.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "../support/simulated-run.js";

const OOD = ["evaluate.ood=mnist_c", "checkpoint.every=1000"];

/** 60 updates of which an epoch takes so many. */
function runOf(updatesPerEpoch: number, ...overrides: string[]): SimulatedRun {
  const config = simulatedConfig(...OOD, ...overrides);
  return new SimulatedRun(config, trainingOf(config, { updatesPerEpoch }));
}

function evaluatedSteps(run: SimulatedRun): number[] {
  return [...new Set([...run.state.scores.evaluations].map(({ step }) => step))];
}

describe("the ends of the last epochs", () => {
  it("are evaluated where a run asks for them, and its own end alone where it does not", () => {
    expect(evaluatedSteps(runOf(20).finish())).toEqual([60]);
    expect(composeResults(runOf(20).finish().state, 0).ood?.last_epochs).toBeNull();
    expect(evaluatedSteps(runOf(20, "evaluate.ood_last_epochs=2").finish())).toEqual([40, 60]);
    expect(evaluatedSteps(runOf(14, "evaluate.ood_last_epochs=3").finish())).toEqual([32, 46, 60]);
  });

  it("are as many as there are", () => {
    const { state } = runOf(25, "evaluate.ood_last_epochs=9").finish();
    expect(wantedEpochEnds(state, state.model!)).toEqual([10, 35, 60]);
    expect([1, 10, 11, 36, 60, 61].map((update) => nextEpochEnd(state, state.model!, update))).toEqual([
      11,
      11,
      36,
      61,
      61,
      null,
    ]);
  });

  it("say how far the score moves between them", () => {
    const { state } = runOf(20, "evaluate.ood_last_epochs=3").finish();
    // The simulated accuracy after so many updates.
    const [a, b, c] = [20, 40, 60].map((step) => 1 - 1 / (step + 2)) as [number, number, number];
    const mean = (a + b + c) / 3;
    const deviation = Math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 2);
    expect(composeResults(state, 0).ood).toMatchObject({
      mean: c,
      last_epochs: {
        each: [
          { step: 20, mean: a, in_dist: a },
          { step: 40, mean: b, in_dist: b },
          { step: 60, mean: c, in_dist: c },
        ],
        min: a,
        max: c,
        standard_deviation: expect.closeTo(deviation, 12) as number,
      },
    });
  });

  it("leave training as it is, and are evaluated once, whenever the worker dies", () => {
    const undisturbed = runOf(20, "evaluate.ood_last_epochs=2").finish();
    expect(undisturbed.state.weights.sha256).toBe(runOf(20).finish().state.weights.sha256);
    for (let units = 10; units < 120; units += 7) {
      const run = runOf(20, "evaluate.ood_last_epochs=2", "checkpoint.every=9");
      run.act({ do: "work", times: units });
      if (run.state.end === null) run.act({ do: "die", lost: 0 });
      run.finish();
      expect(evaluatedSteps(run)).toEqual([40, 60]);
      expect(run.state.weights.sha256).toBe(undisturbed.state.weights.sha256);
    }
  });
});
