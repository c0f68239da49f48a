import { join } from "node:path";
import type { RunConfig } from "../config/attached.js";
import type { WorkerProgram } from "../launch/launcher.js";
import { findProgram } from "../launch/program.js";
import { findPython } from "../launch/python.js";
import { PACKAGE_ROOT } from "../package.js";

/**
 * What a run's attempts start: the command of a script of the user's own, or the built-in worker.
 *
 * @throws UserError where that cannot be started on this machine
 */
export async function workerProgramOf({ script }: RunConfig): Promise<WorkerProgram> {
  const pythonFolder = join(PACKAGE_ROOT, "python");
  if (script !== undefined) {
    findProgram(script.command[0], script.folder, process.env);
    return { command: script.command, pythonFolder };
  }
  const python = await findPython({ env: process.env, packageRoot: PACKAGE_ROOT });
  return { command: [python.command, "-m", "thawline.worker"], pythonFolder };
}
