import type { RunConfig } from "../config/attached.js";
import { runDetached } from "./detached.js";
import { tellingOf, wantsView, type DisplayOptions } from "./display.js";
import { runInForeground } from "./foreground.js";
import { chooseRunFolder, createRunFolder, runTimestamp } from "./run-folder.js";
import { workerProgramOf } from "./worker-program.js";

export interface StartOptions extends DisplayOptions {
  readonly runDir?: string;
}

/** Starts a new run and stays with it: as the live view, or as its controller. */
export async function startRun(config: RunConfig, cwd: string, options: StartOptions): Promise<void> {
  const now = new Date();
  // Asked before the run folder exists: a run that cannot start must leave nothing behind.
  await workerProgramOf(config);
  const runFolder = chooseRunFolder(config, options.runDir, cwd, now);
  createRunFolder(runFolder, config);
  const create = { run: `${config.name}-${runTimestamp(now)}`, config };
  if (wantsView(options)) await runDetached(runFolder, create.run);
  else await runInForeground({ runFolder, config, create, telling: tellingOf(options) });
}
