import type { RunConfig } from "../config/attached.js";
import { requireTemporaryFolder } from "../launch/bootstrap.js";
import { standardError, standardOutput } from "../output.js";
import { UserError } from "../errors.js";
import { readTrial, trialNumbers } from "../reading/trial.js";
import { describeDryRun } from "../words/dry-run.js";
import { tellLeftOut, type ChosenConfig } from "./chosen-config.js";
import { runTrial } from "./trial.js";
import { workerProgramOf } from "./worker-program.js";

/** Prints what a run would be and what its signals would cost, by a trial that leaves nothing behind. */
export async function dryRun({ config, leftOut }: ChosenConfig, { json = false }: { json?: boolean }): Promise<void> {
  tellLeftOut(leftOut);
  await workerProgramOf(config);
  requireTemporaryFolder();
  const facts = "every" in config.probe ? await tryOut(config) : null;
  if (facts === "interrupted") {
    process.exitCode = 130;
    return;
  }
  const shown = { config, trial: facts === null ? null : trialNumbers(facts) };
  standardOutput.print(`${json ? JSON.stringify(shown) : describeDryRun(config, facts)}\n`);
}

async function tryOut(config: RunConfig) {
  const what =
    config.script === undefined ? "the run's first updates are" : "the script is started and its first updates are";
  standardError.print(`note: ${what} tried in a temporary folder\n`);
  const state = await runTrial(config);
  if (state === null) return "interrupted";
  const facts = readTrial(config, state);
  if (facts !== null) return facts;
  throw new UserError({
    code: "trial_untimed",
    message: "the trial's updates took no time that could be told",
    hint: "try again; the clock of this machine may be too coarse for updates as short",
  });
}
