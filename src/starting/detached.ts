import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExternalError } from "../errors.js";
import { scanJournal } from "../journal/reader.js";
import { packageVersion } from "../package.js";
import { standardOutput } from "../output.js";
import { composeResults } from "../reading/results.js";
import { LivedSeconds } from "../runs/lived-seconds.js";
import { lacksOutcome, writeOutcome } from "../runs/outcome.js";
import { modeInside, refusedByDisk } from "../whole-file.js";
import { tailOf } from "../launch/tail.js";
import { runView } from "../ui/app.js";
import { shortPath } from "../words/format.js";
import { summary } from "../words/summary.js";
import { colorEnabled } from "../ui/terminal.js";

const CONTROLLER_LOG = "controller.log";

/**
 * Starts the controller in a session of its own and becomes the view. The run outlives the view: `q`, a closed
 * terminal or a killed view leave it alone; Ctrl-C orders it to stop.
 *
 * @param run name of a run to create, or null to go on with the one in the folder
 * @param flags for the controller
 * @throws ExternalError with the end of the controller's log when it dies
 */
export async function runDetached(
  runFolder: string,
  run: string | null,
  flags: readonly ("--takeover" | "--as-copy")[] = [],
): Promise<void> {
  const controller = startController(runFolder, [...(run === null ? [] : ["--create", run]), ...flags]);
  const view = await runView({
    runFolders: [runFolder],
    stdout: process.stdout,
    stdin: process.stdin,
    env: process.env,
    interrupt: "stop",
    gone: controller.exited,
  });
  if (view.why !== "ended") {
    process.exitCode = view.why === "interrupted" ? 130 : 0;
    return;
  }
  const exitCode = await controller.exited;
  if (view.state?.end == null) throw await controllerDied(runFolder, exitCode);
  const lived = new LivedSeconds();
  await scanJournal(runFolder, (records) => lived.take(records));
  const wallSeconds = lived.seconds;
  const results = composeResults(view.state, wallSeconds);
  const color = colorEnabled(process.stdout, process.env);
  const text = summary(results, { runFolder: shortPath(runFolder), state: view.state, color });
  standardOutput.printStyled(`${text}\n`);
  process.exitCode = view.state.end.exitCode;
  // The controller could not, and has said so where nobody looks.
  const unwritten = lacksOutcome(runFolder)
    ? writeOutcome(runFolder, view.state, wallSeconds, packageVersion()).unwritten
    : null;
  if (unwritten !== null) throw unwritten;
}

function startController(runFolder: string, flags: readonly string[]): { readonly exited: Promise<number | null> } {
  const log = openLog(join(runFolder, CONTROLLER_LOG), runFolder);
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const child = spawn(process.execPath, [cli, "controller", runFolder, ...flags], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = new Promise<number | null>((done) => {
    child.once("error", () => done(null));
    child.once("exit", (code) => done(code));
  });
  child.unref();
  return { exited };
}

/** @throws UserError `unwritable_file` */
function openLog(path: string, runFolder: string): number {
  try {
    return openSync(path, "a", modeInside(runFolder));
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error);
  }
}

async function controllerDied(runFolder: string, exitCode: number | null): Promise<ExternalError> {
  const path = join(runFolder, CONTROLLER_LOG);
  return new ExternalError({
    code: "controller_died",
    message: `the controller ended with ${exitCode === null ? "a signal" : `exit code ${exitCode}`} before the run did`,
    hint: `go on with \`npx thawline resume ${runFolder}\``,
    output: await tailOf(path, 12, 4096),
  });
}
