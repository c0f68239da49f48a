import { describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { composeManifest } from "../../src/runs/manifest.js";
import { Series } from "../../src/core/series.js";
import { simulatedConfig, simulatedTextConfig, SimulatedRun } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

const manifestOf = (config: ReturnType<typeof simulatedConfig>) => {
  const { state } = new SimulatedRun(config).until(({ attempt }) => factsOf(attempt).applied);
  return composeManifest(state, "1.2.3");
};

describe("composeManifest", () => {
  it("names data and the versions that made the run", () => {
    expect(manifestOf(simulatedConfig("seed=7"))).toMatchObject({
      run: "r",
      thawline: "1.2.3",
      node: process.versions.node,
      data: { kind: "mnist", checksums_verified: true },
      pretrained: null,
      script: null,
      seed: 7,
      promise: expect.stringMatching(/^bit-identical/) as string,
    });
  });

  it("names the Slurm job, of an array the task", () => {
    const of = (variables: Readonly<Record<string, string>>): string | null => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
      const { slurm_job: job } = manifestOf(simulatedConfig());
      vi.unstubAllEnvs();
      return job;
    };
    expect(of({})).toBeNull();
    expect(of({ SLURM_JOB_ID: "812" })).toBe("812");
    expect(of({ SLURM_JOB_ID: "812", SLURM_ARRAY_JOB_ID: "810", SLURM_ARRAY_TASK_ID: "2" })).toBe("810_2");
  });

  it("names the folders of a run on text", () => {
    expect(manifestOf(simulatedTextConfig())).toMatchObject({
      data: { kind: "xquad_articles", sources: { xquad: "/data/xquad" } },
      pretrained: { name: "/data/encoder", revision: null },
    });
  });

  it("names each source with its commit, and that of the encoder", () => {
    const tests = "data.tests=[{name: mlqa, source: /data/MLQA_V1, scorer: mlqa}]";
    const config = loadConfig({ source: "squad-xlmr-lora", overrides: [tests, "device.threads=1"], env: {}, cwd: "/" });
    const { data, pretrained } = manifestOf(config);
    const commit = expect.stringMatching(/^[0-9a-f]{40}$/) as string;
    expect(pretrained).toEqual({ name: "FacebookAI/xlm-roberta-base", revision: commit });
    expect(data).toMatchObject({
      kind: "question_answering",
      sources: {
        train: { hub: "rajpurkar/squad", revision: commit, split: "train" },
        development: { hub: "rajpurkar/squad", revision: commit, split: "validation" },
        "tests/mlqa": "/data/MLQA_V1",
      },
    });
  });

  it("says why bit identity is no longer promised", () => {
    const { state } = new SimulatedRun(simulatedConfig()).finish();
    expect(composeManifest({ ...state, identityDropped: Series.of(["another torch"]) }, "1").promise).toBe(
      "no bit identity: another torch",
    );
  });
});
