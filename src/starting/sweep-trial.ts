import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunConfig } from "../config/attached.js";
import { control } from "../controller/controller.js";
import { localLauncher } from "../launch/local.js";
import { packageVersion } from "../package.js";
import { createRunFolder } from "../runs/folder.js";
import { makeTemporaryFolder } from "../temporary-folder.js";
import { Interrupts, trialFailure } from "./trial.js";
import { workerProgramOf } from "./worker-program.js";

/** Enough for a mean, few enough to wait for. */
export const TRIAL_UPDATES = 20;
/** Beyond the end of any trial. */
const NEVER = 1_000_000_000;

export interface SweepTrial {
  readonly secondsPerUpdate: number;
  /** All that does not grow with the number of updates: start, evaluation, end. */
  readonly secondsBeside: number;
  /** Updates of a pass over the data; null where nobody knows. */
  readonly epochUpdates: number | null;
}

/**
 * Trains a run's first updates for real, evaluates it as at its end, and leaves nothing. Null where a signal came first.
 *
 * @throws UserError or ExternalError where it fails
 */
export async function runSweepTrial(config: RunConfig & { readonly script?: undefined }): Promise<SweepTrial | null> {
  const trial: RunConfig = {
    ...config,
    train: { ...config.train, updates: TRIAL_UPDATES, epochs: null },
    intervention: { kind: "none" },
    checkpoint: { ...config.checkpoint, every: NEVER },
    probe: { until: "decision" },
    supervision: { ...config.supervision, max_restarts: 0 },
  };
  const folder = makeTemporaryFolder(tmpdir());
  const runFolder = join(folder, "run");
  const interrupts = new Interrupts(() => undefined);
  try {
    createRunFolder(runFolder, trial);
    const { state, results } = await control({
      runFolder,
      create: { run: `${config.name}-trial`, config: trial },
      launcher: localLauncher,
      worker: await workerProgramOf(trial),
      thawlineVersion: packageVersion(),
      interrupts,
    });
    if (state.end?.outcome === "failed") throw await trialFailure(state.end, runFolder);
    if (state.end?.outcome !== "finished") return null;
    const { wall_seconds, train_seconds } = results;
    return {
      secondsPerUpdate: train_seconds / TRIAL_UPDATES,
      secondsBeside: wall_seconds - train_seconds,
      epochUpdates: state.model?.updatesPerEpoch ?? null,
    };
  } finally {
    interrupts.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
