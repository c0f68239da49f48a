import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunConfig } from "../config/attached.js";
import { control } from "../controller/controller.js";
import type { State } from "../core/state.js";
import { BugError, ExternalError, UserError } from "../errors.js";
import { localLauncher } from "../launch/local.js";
import { tailOf } from "../launch/tail.js";
import { packageVersion } from "../package.js";
import { createRunFolder } from "../runs/folder.js";
import { makeTemporaryFolder } from "../temporary-folder.js";
import { workerProgramOf } from "./worker-program.js";

/** Updates between two of a trial's measurements: enough for a mean, few enough to wait for. */
const SPACING = 5;
/** The first makes what later ones only look at. */
const MEASUREMENTS = 3;
/** Beyond the end of any trial. */
const NEVER = 1_000_000_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const TAIL = { lines: 12, bytes: 4096 } as const;

/**
 * The configuration of a trial: the run as it begins, with its intervention from the first update on, measured a few
 * times close together, started once and without a checkpoint.
 */
export function trialConfig(config: RunConfig): RunConfig {
  const { probe, intervention, supervision } = config;
  if (!("every" in probe)) throw new BugError("a run that measures nothing has no trial");
  const begun = {
    probe: { ...probe, every: spacing(config), until: "end" as const, budget: null },
    intervention: intervention.kind === "none" ? intervention : { ...intervention, start: 1 },
    supervision: { ...supervision, max_restarts: 0 },
  };
  return config.script === undefined
    ? { ...config, ...begun, checkpoint: { ...config.checkpoint, every: NEVER } }
    : { ...config, ...begun, script: { ...config.script, restart: false } };
}

/** What one measurement and one update take does not depend on it. */
function spacing({ train }: RunConfig): number {
  return Math.max(1, Math.min(SPACING, Math.floor((train?.updates ?? Infinity) / (MEASUREMENTS - 1))));
}

/**
 * Trains a few updates for real, in a temporary folder, and removes that. Returns the state after the last measurement;
 * null where a signal came first.
 *
 * @throws UserError or ExternalError with what the worker printed, where it failed or ended before
 */
export async function runTrial(config: RunConfig): Promise<State | null> {
  const trial = trialConfig(config);
  const folder = makeTemporaryFolder(tmpdir());
  const runFolder = join(folder, "run");
  const measured: State[] = [];
  const caught: string[] = [];
  const interrupts = new Interrupts((signal) => caught.push(signal));
  try {
    createRunFolder(runFolder, trial);
    const { state } = await control({
      runFolder,
      create: { run: `${config.name}-trial`, config: trial },
      launcher: localLauncher,
      worker: await workerProgramOf(trial),
      thawlineVersion: packageVersion(),
      onRecord: (_, now) => {
        if (measured.length > 0 || (now.signal.timing?.measured ?? 0) < MEASUREMENTS) return;
        measured.push(now);
        // A built-in worker has nothing to save; a script is stopped as by Ctrl-C, since it may have.
        interrupts.stop(config.script === undefined ? 2 : 1);
      },
      interrupts,
    });
    if (caught.length > 0) return null;
    return measured[0] ?? (await refuse(state, runFolder));
  } finally {
    interrupts.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Signals of the user's, and the trial's own end. */
export class Interrupts {
  private listener: (signal: string) => void = () => undefined;
  private readonly onSignal = (signal: string): void => {
    this.onCaught(signal);
    this.listener(signal);
  };

  constructor(private readonly onCaught: (signal: string) => void) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  readonly listen = (listener: (signal: string) => void): void => {
    this.listener = listener;
  };

  /** @param times twice does not wait for the worker */
  stop(times: 1 | 2): void {
    for (let time = 0; time < times; time += 1) this.listener("the end of the trial");
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }
}

/** @throws UserError or ExternalError, always */
async function refuse({ end, progress }: State, runFolder: string): Promise<never> {
  if (end?.outcome === "failed") throw await trialFailure(end, runFolder);
  throw new UserError({
    code: "trial_too_short",
    message: `the training ended after ${Math.max(0, progress.frontier - 1)} updates, before a trial's ${MEASUREMENTS} measurements`,
    hint: `a training of at least ${SPACING * (MEASUREMENTS - 1)} updates can be tried`,
  });
}

/** Why a trial failed: the user's to change, or with the end of what the worker printed. */
export async function trialFailure(
  end: Extract<State["end"], { outcome: "failed" }>,
  runFolder: string,
): Promise<UserError | ExternalError> {
  const { code, hint } = end;
  const message = `the trial failed: ${end.message}`;
  if (end.exitCode === 2) return new UserError({ code, message, hint });
  const output = await tailOf(join(runFolder, "worker.log"), TAIL.lines, TAIL.bytes);
  return new ExternalError({ code, message, hint: "nothing of the trial is left; mend this, and try again", output });
}
