import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExternalError } from "../errors.js";
import type { Results } from "../core/results.js";
import { tailOf } from "../launch/tail.js";
import { runView } from "../ui/app.js";
import { shortPath } from "../ui/format.js";
import { summary } from "../ui/summary.js";
import { colorEnabled } from "../ui/terminal.js";

const CONTROLLER_LOG = "controller.log";

/**
 * Starts the controller in a session of its own and becomes the view. The run outlives the view: `q`, a closed
 * terminal or a killed view leave it alone; Ctrl-C orders it to stop.
 *
 * @param run name of a run to create, or null to go on with the one in the folder
 * @throws ExternalError with the end of the controller's log when it dies
 */
export async function runDetached(runFolder: string, run: string | null, takeover = false): Promise<void> {
  const controller = startController(runFolder, run, takeover);
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
  const results = JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8")) as Results;
  const color = colorEnabled(process.stdout, process.env);
  process.stdout.write(`${summary(results, { runFolder: shortPath(runFolder), state: view.state, color })}\n`);
  process.exitCode = view.state.end.exitCode;
}

function startController(
  runFolder: string,
  run: string | null,
  takeover: boolean,
): { readonly exited: Promise<number | null> } {
  const log = openSync(join(runFolder, CONTROLLER_LOG), "a", 0o644);
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const flags = [...(run === null ? [] : ["--create", run]), ...(takeover ? ["--takeover"] : [])];
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

async function controllerDied(runFolder: string, exitCode: number | null): Promise<ExternalError> {
  const path = join(runFolder, CONTROLLER_LOG);
  return new ExternalError({
    code: "controller_died",
    message: `the controller ended with ${exitCode === null ? "a signal" : `exit code ${exitCode}`} before the run did`,
    hint: `go on with \`npx thawline resume ${runFolder}\``,
    output: await tailOf(path, 12, 4096),
  });
}
