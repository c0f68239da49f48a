import { requireFittingWelcome } from "../controller/welcome.js";
import { workerConfig } from "../controller/worker-config.js";
import { requireTemporaryFolder } from "../launch/bootstrap.js";
import { tellLeftOut, type ChosenConfig } from "./chosen-config.js";
import { tellingOf, wantsView, type DisplayOptions } from "./display-options.js";
import { chooseRunFolder, createRunFolder, runTimestamp } from "../runs/folder.js";
import { standardError } from "../output.js";
import { MARK_FILE } from "../trust/mark.js";
import { markOwnRun } from "../trust/require-trust.js";
import { workerProgramOf } from "./worker-program.js";

export interface StartOptions extends DisplayOptions {
  readonly runDir?: string;
  readonly groupReadable?: true;
  readonly dryRun?: true;
}

/** Starts a new run and stays with it: as the live view, or as its controller; `onFolder` is told where, once it is made. */
export async function startRun(
  { config, leftOut }: ChosenConfig,
  cwd: string,
  options: StartOptions,
  onFolder: (runFolder: string) => unknown = () => undefined,
): Promise<void> {
  tellLeftOut(leftOut);
  const now = new Date();
  // Asked before the run folder exists: a run that cannot start must leave nothing behind.
  await workerProgramOf(config);
  requireTemporaryFolder();
  const chosen = chooseRunFolder(config, options.runDir, cwd, now);
  const create = { run: `${config.name}-${runTimestamp(now)}`, config };
  requireFittingWelcome(workerConfig(config), { run: create.run, runFolder: chosen });
  const notes: string[] = [];
  const mark = (folder: string): void => {
    const unmarked = markOwnRun(folder, config, process.env);
    if (unmarked !== null) notes.push(unmarked);
  };
  const runFolder = createRunFolder(chosen, config, {
    first: { name: MARK_FILE, write: mark },
    leftOut,
    numbered: options.runDir === undefined,
    groupReadable: options.groupReadable ?? false,
  });
  for (const note of notes) standardError.print(`note: ${note}\n`);
  onFolder(runFolder);
  if (wantsView(options)) {
    const { runDetached } = await import("./detached.js");
    await runDetached(runFolder, create.run);
  } else {
    const { runInForeground } = await import("./foreground.js");
    await runInForeground({ runFolder, config, create, telling: tellingOf(options) });
  }
}
