import { expect, it } from "vitest";
import { trialConfig } from "../../src/starting/trial.js";
import { loadAttachedConfig } from "../../src/config/attached.js";
import { simulatedConfig } from "../support/simulated-run.js";

it("is the run as it begins, measured a few times close together, without restarts and checkpoints", () => {
  const config = simulatedConfig("probe.every=15", "probe.budget=0.1", "intervention.start=2", "probe.points=7");
  const trial = trialConfig(config);
  expect(trial).toEqual({
    ...config,
    probe: { ...config.probe, every: 5, until: "end", budget: null },
    intervention: { ...config.intervention, start: 1 },
    supervision: { ...config.supervision, max_restarts: 0 },
    checkpoint: { ...config.checkpoint, every: 1_000_000_000 },
  });
});

it("measures three times in a training of few updates, too", () => {
  const every = (updates: number): unknown =>
    trialConfig(simulatedConfig(`train.updates=${updates}`, "probe.every=3")).probe;
  expect([2, 3, 6, 7, 60].map(every)).toMatchObject([1, 1, 3, 3, 5].map((one) => ({ every: one })));
});

it("starts a script once", () => {
  const script = { command: ["python", "train.py"] as [string, ...string[]], folder: "/home/me", restart: true };
  const config = loadAttachedConfig({ file: null, overrides: [], env: {}, cwd: "/", script });
  expect(trialConfig(config)).toMatchObject({
    script: { ...script, restart: false },
    supervision: { max_restarts: 0 },
  });
});

it("is of runs that measure", () => {
  expect(() => trialConfig(simulatedConfig("intervention.kind=none"))).toThrow("measures nothing");
});
