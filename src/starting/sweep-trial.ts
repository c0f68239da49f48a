import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunConfig } from "../config/attached.js";
import { control } from "../controller/controller.js";
import { ExternalError, UserError } from "../errors.js";
import { localLauncher } from "../launch/local.js";
import { packageVersion } from "../package.js";
import { createRunFolder } from "../runs/folder.js";
import { makeTemporaryFolder } from "../temporary-folder.js";
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
 * Trains a run's first updates for real, evaluates it as at its end, and leaves nothing.
 *
 * @throws UserError or ExternalError where it fails
 */
export async function runSweepTrial(config: RunConfig & { readonly script?: undefined }): Promise<SweepTrial> {
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
  try {
    createRunFolder(runFolder, trial);
    const { state, results } = await control({
      runFolder,
      create: { run: `${config.name}-trial`, config: trial },
      launcher: localLauncher,
      worker: await workerProgramOf(trial),
      thawlineVersion: packageVersion(),
    });
    if (state.end?.outcome !== "finished") throw failed(state.end);
    const { wall_seconds, train_seconds } = results;
    return {
      secondsPerUpdate: train_seconds / TRIAL_UPDATES,
      secondsBeside: wall_seconds - train_seconds,
      epochUpdates: state.model?.updatesPerEpoch ?? null,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function failed(end: { readonly outcome: string; readonly message?: string } | null): Error {
  const message = `the trial did not finish: ${end?.message ?? "it ended"}`;
  const hint = "mend this, and try again; nothing of the trial is left";
  return end?.outcome === "failed"
    ? new UserError({ code: "trial_failed", message, hint })
    : new ExternalError({ code: "trial_failed", message, hint });
}
