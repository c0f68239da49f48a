import { open, type FileHandle } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { execa } from "execa";
import { UserError } from "../errors.js";
import type { LaunchedWorker, Launcher, LaunchRequest, WorkerExit } from "./launcher.js";
import { startTimeOf } from "../process-identity.js";
import { modeInside, refusedByDisk } from "../whole-file.js";
import { guardGroup } from "./group-guard.js";
import { endProcessesOf, killGroup, RUN_VARIABLE } from "./process-group.js";

/** The pipe that only the controller holds open: its end of file tells the worker that the controller is gone. */
const LIFELINE_FD = 3;

/** What outlives a worker in a session of its own may be sending the last lines of a log. */
const STRAY_GRACE_MILLISECONDS = 2_000;

/** Starts the worker as a process of this machine, in a process group of its own. */
export const localLauncher: Launcher = { launch };

async function launch(request: LaunchRequest): Promise<LaunchedWorker> {
  const log = await openLog(request.logPath);
  try {
    const [program, ...programArguments] = request.command;
    // Any descriptor of this process will do; execa's types name only the first ones.
    const logFd = log.fd as 9;
    const child = execa(program, programArguments, {
      cwd: request.workingFolder,
      env: environment(request),
      // Ctrl-C in the controller's terminal must not reach the worker: the controller orders the stop.
      detached: true,
      cleanup: false,
      reject: false,
      // To files: at execa's limit a buffered trainer would be ended by SIGPIPE.
      buffer: false,
      stdio: ["ignore", logFd, logFd, "pipe"],
    });
    if (child.pid === undefined) throw notStarted(program, (await child).originalMessage ?? "");
    guardGroup(child);
    // The result that execa resolves to waits for pipes that grandchildren may hold; the exit event does not.
    const exited = new Promise<WorkerExit>((resolve) => {
      child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    });
    return new LocalWorker(child.pid, exited, request.runIdentity);
  } finally {
    await log.close();
  }
}

/** @throws UserError `unwritable_file`, also where its folder is gone, which must not come back empty */
async function openLog(path: string): Promise<FileHandle> {
  try {
    const mode = modeInside(dirname(path));
    const log = await open(path, "a", mode);
    await log.chmod(mode);
    return log;
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error);
  }
}

class LocalWorker implements LaunchedWorker {
  readonly startTime: string | null;
  readonly exited: Promise<WorkerExit>;
  private over = false;

  constructor(
    readonly pid: number,
    leaderExit: Promise<WorkerExit>,
    runIdentity: string,
  ) {
    this.startTime = startTimeOf(pid);
    this.exited = leaderExit.then(async (exit) => {
      // Children that ignored a signal, or were still loading data, would keep the device.
      this.kill();
      this.over = true;
      // And those that made a session of their own.
      await endProcessesOf(runIdentity, { politely: STRAY_GRACE_MILLISECONDS });
      return exit;
    });
  }

  kill(): void {
    // Once the group is gone its number may be given to another one.
    if (!this.over) killGroup(this.pid);
  }
}

function environment(request: LaunchRequest): Record<string, string> {
  const inherited = process.env["PYTHONPATH"];
  return {
    PYTHONUNBUFFERED: "1",
    ...request.environment,
    PYTHONPATH: inherited ? `${request.pythonFolder}${delimiter}${inherited}` : request.pythonFolder,
    THAWLINE_BOOTSTRAP: request.bootstrapPath,
    [RUN_VARIABLE]: request.runIdentity,
    THAWLINE_LIFELINE_FD: String(LIFELINE_FD),
  };
}

function notStarted(program: string, reason: string): UserError {
  return new UserError({
    code: "worker_not_started",
    message: `\`${program}\` could not be started: ${reason}`,
    hint: "`npx thawline doctor` shows which Python is used; THAWLINE_PYTHON names another",
  });
}
