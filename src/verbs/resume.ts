import { resolve } from "node:path";
import type { Command } from "commander";
import type { RunConfig } from "../config/attached.js";
import { UserError } from "../errors.js";
import { describeLostTail } from "../journal/lost-tail.js";
import { acquireLock } from "../journal/lock.js";
import { requireSameCore } from "../journal/replay.js";
import { requireTemporaryFolder } from "../launch/bootstrap.js";
import { packageVersion } from "../package.js";
import { standardError } from "../output.js";
import { readRunConfig, runTimestamp, wasNeverBegun } from "../runs/folder.js";
import { refuseCopy } from "../runs/folder-identity.js";
import { lacksOutcome, writeOutcome } from "../runs/outcome.js";
import { readPast, type PastRun } from "../runs/past.js";
import { runDetached } from "../starting/detached.js";
import { runInForeground } from "../starting/foreground.js";
import { addDisplayOptions, tellingOf, wantsView, type DisplayOptions } from "../starting/display-options.js";
import { requireTrustedRun } from "../trust/require-trust.js";
import { workerProgramOf } from "../starting/worker-program.js";
import { removeAsidesOfTheDead } from "../whole-file.js";

interface ResumeOptions extends DisplayOptions {
  readonly takeover?: true;
  readonly trust?: true;
  readonly asCopy?: true;
}

export function register(program: Command): void {
  const resume = program
    .command("resume")
    .description("Go on with a run from its last verified checkpoint; configuration and threads are the journal's")
    .argument("<run folder>")
    .allowExcessArguments()
    .option("--takeover", "take the run from a controller on another host that is gone")
    .option("--trust", "run the command or model that its journal names, although you did not start this run")
    .option("--as-copy", "go on with a copy of a run folder, as a run of its own");
  addDisplayOptions(resume).action(async (folder: string, options: ResumeOptions, { args }: Command) => {
    refuseSettings(args.slice(1));
    const runFolder = resolve(folder);
    if (wasNeverBegun(runFolder)) {
      const config = readRunConfig(runFolder);
      requireTrust(runFolder, config, options);
      await goOn(runFolder, config, { run: `${config.name}-${runTimestamp(new Date())}`, config }, options);
      return;
    }
    const past = await readPast(runFolder);
    const { state, lost } = past;
    requireSameCore(state);
    if (state.end?.outcome === "finished") {
      completeOutcome(runFolder, past);
      standardError.print(`\`${folder}\` has finished: there is nothing to resume\n`);
      return;
    }
    if (options.asCopy !== true) refuseCopy(runFolder, past.folder);
    requireTrust(runFolder, state.config, options);
    // What a detached controller says stands in its log.
    const isTold = lost === null || !wantsView(options);
    if (!isTold) standardError.print(`note: ${describeLostTail(lost, past.numRecords)}\n`);
    await goOn(runFolder, state.config, null, options);
  });
}

/** @param create the run to begin, where the controller that was to do so was killed before its first record */
async function goOn(
  runFolder: string,
  config: RunConfig,
  create: { readonly run: string; readonly config: RunConfig } | null,
  options: ResumeOptions,
): Promise<void> {
  await workerProgramOf(config);
  requireTemporaryFolder();
  const { takeover = false, asCopy = false } = options;
  if (wantsView(options)) {
    const flags = [...(takeover ? (["--takeover"] as const) : []), ...(asCopy ? (["--as-copy"] as const) : [])];
    await runDetached(runFolder, create?.run ?? null, flags);
  } else {
    await runInForeground({ runFolder, config, create, telling: tellingOf(options), takeover, asCopy });
  }
}

function requireTrust(runFolder: string, config: RunConfig, { trust = false }: { readonly trust?: boolean }): void {
  requireTrustedRun(runFolder, { config, trust, env: process.env });
}

/** @throws UserError where what a full disk or a killed controller has left undone still cannot be written */
function completeOutcome(runFolder: string, { state, livedSeconds }: PastRun): void {
  // The controller may have died holding it.
  acquireLock(runFolder, {}).release();
  if (lacksOutcome(runFolder)) {
    const { unwritten } = writeOutcome(runFolder, state, livedSeconds, packageVersion());
    if (unwritten !== null) throw unwritten;
  }
  removeAsidesOfTheDead(runFolder);
}

/** People try what `run` takes; why it cannot work here is worth more than a count of arguments. */
function refuseSettings([setting]: readonly string[]): void {
  if (setting === undefined) return;
  throw new UserError({
    code: "resume_changes_nothing",
    message: `\`${setting}\` cannot be given: a resumed run keeps the configuration of its journal`,
    hint: "start a new run with `npx thawline run` to change a setting",
  });
}
