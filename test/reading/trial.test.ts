import { expect, it } from "vitest";
import { readTrial, trialNumbers } from "../../src/reading/trial.js";
import { trialConfig } from "../../src/starting/trial.js";
import { describeDryRun } from "../../src/words/dry-run.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "../support/simulated-run.js";

const COST = { update: 0.25, point: 2 };

function tried(...overrides: string[]) {
  const config = simulatedConfig("probe.every=4", "intervention.k_max=48", ...overrides);
  const trial = trialConfig(config);
  const run = new SimulatedRun(trial, trainingOf(trial, { cost: COST }));
  return { config, state: run.until(({ signal }) => signal.timing?.measured === 3).state };
}

it("tells the share at the run's own `every`, and what its budget would choose, as the run does", () => {
  const { config, state } = tried("probe.budget=0.5");
  const facts = readTrial(config, state)!;
  expect(facts).toMatchObject({ updates: 9, measurements: 3, every: 4, share: 2, latest: 48 });
  expect(facts.cost).toEqual({ secondsPerPoint: 2, secondsPerUpdate: 0.25, points: 2, updates: 5 });
  const run = new SimulatedRun(config, trainingOf(config, { cost: COST })).finish();
  expect(run.decided("every/chosen")[0]).toMatchObject({ every: facts.choice!.every, share: facts.choice!.share });
  expect(trialNumbers(facts)).toMatchObject({ share: 2, budget: { share: 0.5, every: 8, expected: 1, kept: false } });
});

it("has no share before three measurements, nor where no time was told", () => {
  const { config, state } = tried();
  expect(readTrial(config, { ...state, signal: { ...state.signal, timing: null } })).toBeNull();
  expect(readTrial(config, state)!.choice).toBeNull();
});

it("is told in lines, with its n and what it leaves out", () => {
  const { config, state } = tried("probe.budget=0.5");
  expect(describeDryRun(config, readTrial(config, state))).toMatchInlineSnapshot(`
    "quickstart: dry run, nothing was started that lasts
      made by       resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper: constant), seed 0
      intervention  gradual_unfreezing, k online by tr(F) (tau 3, epsilon 0.02, k_max 48)
      signals       every 4 updates until a multiple is chosen that takes 50 % of training at most, of the trainable parameters, over 512 training examples in batches of 256
                    tr(F): labels sampled from the model, per example
      training      60 updates, 3 blocks and a head, on cpu with 1 thread
      trial         9 updates and 3 measurements in a temporary folder, removed again
      cost          a measurement 2 s, an update 0.25 s (n = 2 measurements, 5 updates; the first of both are left out)
      share         measuring takes 200 % of training time at every = 4, by what trains at first
      budget        50 % cannot be kept: measuring takes 200 % of training at every = 4, 100 % at 8; every = 8 is the most that leaves the points of a decision (8 updates apart at most); fewer \`probe.points\` or metrics, a later \`intervention.k_max\` or a longer training would keep it"
  `);
});

it("is told of a run that measures nothing, too", () => {
  const config = simulatedConfig("intervention.k=7");
  expect(describeDryRun(config, null)).toMatch(/k = 7\n +signals +none are measured, so nothing was tried$/);
});
