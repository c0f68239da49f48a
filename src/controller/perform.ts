import { readdirSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../core/commands.js";
import type { Event } from "../core/events.js";
import type { State } from "../core/state.js";
import { UserError } from "../errors.js";
import { removeBootstrap, writeBootstrap } from "../launch/bootstrap.js";
import type { LaunchedWorker, Launcher } from "../launch/launcher.js";
import { tailOf } from "../launch/tail.js";
import type { Body, ControllerKind } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/version.js";
import type { WorkerRouter } from "../transport/router.js";

/** The worker's output, in the run folder. */
export const WORKER_LOG = "worker.log";

/** The folders of what an attempt stores and a command may remove again. */
const STORED_FOLDERS = ["checkpoints", "best"];

/** How long the last messages of a worker that is already gone may take to arrive; they have left its socket by then. */
const LAST_WORDS_MILLISECONDS = 500;

const TAIL_LINES = 12;
const TAIL_BYTES = 4096;

export interface Performer {
  /** Carries out one command. Never throws for what the outside world does: that comes back as an event. */
  readonly perform: (command: Command, state: State) => void;
  /** Leaves nothing behind: no process, no bootstrap file. */
  readonly close: () => Promise<void>;
}

export interface PerformerOptions {
  readonly runFolder: string;
  readonly router: WorkerRouter;
  readonly launcher: Launcher;
  readonly worker: WorkerProgram;
  readonly emit: (event: Event) => void;
  /** Whether the attempt may still have something to say: it has neither closed nor been ended. */
  readonly awaitsLastWords: (attempt: number) => boolean;
  readonly onFinish: () => void;
  /** Something of our own failed, where nobody waits for it. */
  readonly onFault: (error: unknown) => void;
}

/** What is started as a worker, and where its Python package lies. */
export interface WorkerProgram {
  readonly command: readonly [string, ...string[]];
  readonly pythonFolder: string;
}

interface Running {
  readonly attempt: number;
  readonly cancel: AbortController;
  worker: LaunchedWorker | null;
  bootstrapPath: string | null;
}

/** Turns commands into effects: processes, messages, files. */
export function createPerformer(options: PerformerOptions): Performer {
  let running: Running | null = null;

  const launch = async (command: Extract<Command, { type: "worker/launch" }>, state: State): Promise<void> => {
    const { attempt } = command;
    const mine: Running = { attempt, cancel: new AbortController(), worker: null, bootstrapPath: null };
    running = mine;
    try {
      await sleep(command.delaySeconds * 1000, undefined, { signal: mine.cancel.signal });
      removeUnknown(options.runFolder, state);
      mine.bootstrapPath = await prepareBootstrap(options, state.run, attempt);
      mine.worker = await options.launcher.launch({
        ...options.worker,
        workingFolder: state.config.script?.folder ?? options.runFolder,
        logPath: join(options.runFolder, WORKER_LOG),
        bootstrapPath: mine.bootstrapPath,
        environment: workerEnvironment(state),
      });
    } catch (error) {
      if (mine.cancel.signal.aborted) {
        options.emit({ type: "attempt/exited", attempt, exitCode: null, signal: "SIGKILL", tail: "" });
        return;
      }
      if (!(error instanceof UserError)) throw error;
      const { code, message, hint } = error;
      options.emit({ type: "attempt/launchFailed", attempt, code, message, hint });
      return;
    }
    const { pid, startTime } = mine.worker;
    options.emit({ type: "attempt/launched", attempt, pid, startTime: startTime ?? "" });
    if (mine.cancel.signal.aborted) mine.worker.kill();
    watch(mine, mine.worker).catch(options.onFault);
  };

  const watch = async (mine: Running, worker: LaunchedWorker): Promise<void> => {
    const { exitCode, signal } = await worker.exited;
    // Its socket was flushed before it ended; give what is still in the kernel's buffers time to be read.
    const deadline = performance.now() + LAST_WORDS_MILLISECONDS;
    while (options.awaitsLastWords(mine.attempt) && performance.now() < deadline) await sleep(10);
    await forgetBootstrap(mine);
    options.router.expel(mine.attempt);
    const tail = await tailOf(join(options.runFolder, WORKER_LOG), TAIL_LINES, TAIL_BYTES);
    options.emit({ type: "attempt/exited", attempt: mine.attempt, exitCode, signal, tail });
  };

  const send = <K extends ControllerKind>(attempt: number, kind: K, body: Body<K>): void => {
    options.router.send(kind, body).catch((error: unknown) => {
      // If the process is gone too, its exit has the better story; the reducer keeps the first one it hears.
      void sleep(LAST_WORDS_MILLISECONDS).then(() =>
        options.emit({
          type: "attempt/violated",
          attempt,
          reason: `it cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
        }),
      );
    });
  };

  const welcome = (command: Extract<Command, { type: "worker/welcome" }>, state: State): void => {
    if (running !== null) void forgetBootstrap(running);
    const { resumeFrom } = command;
    // A script knows its command, and a long one would not fit into the message.
    const { script: _, ...config } = state.config;
    send(command.attempt, "welcome", {
      protocol: PROTOCOL_VERSION,
      run_folder: resolve(options.runFolder),
      config,
      resume_from:
        resumeFrom === null
          ? null
          : { path: resumeFrom.path, step: resumeFrom.step, manifest_sha256: resumeFrom.manifestSha256 },
    });
  };

  const kill = (attempt: number): void => {
    if (running?.attempt !== attempt) return;
    if (running.worker === null) running.cancel.abort();
    else running.worker.kill();
  };

  const perform = (command: Command, state: State): void => {
    switch (command.type) {
      case "worker/launch":
        launch(command, state).catch(options.onFault);
        return;
      case "worker/welcome":
        welcome(command, state);
        return;
      case "worker/grant":
        send(command.attempt, "grant", command.body);
        return;
      case "worker/recall":
        send(command.attempt, "recall", {});
        return;
      case "worker/stop":
        send(command.attempt, "stop", command.body);
        return;
      case "worker/kill":
        kill(command.attempt);
        return;
      case "checkpoint/remove":
        for (const path of command.paths) removeInside(options.runFolder, path);
        return;
      case "run/finish":
        options.onFinish();
    }
  };

  const close = async (): Promise<void> => {
    if (running === null) return;
    await forgetBootstrap(running);
    running.cancel.abort();
    running.worker?.kill();
    await running.worker?.exited;
  };
  return { perform, close };
}

/** The thread count is part of the result: set before any library of the worker can read it. A script has its own. */
function workerEnvironment({ config: { device } }: State): Record<string, string> {
  if (device === undefined) return {};
  const { threads, shared } = device;
  return {
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    ...(threads > 1 && shared ? { OMP_WAIT_POLICY: "PASSIVE" } : {}),
    // cuBLAS is deterministic only with a fixed workspace.
    CUBLAS_WORKSPACE_CONFIG: ":4096:8",
  };
}

function prepareBootstrap(options: PerformerOptions, run: string, attempt: number): Promise<string> {
  const keys = options.router.admit(attempt);
  return writeBootstrap({
    endpoint: options.router.endpoint,
    server_key: options.router.serverPublicKey,
    public_key: keys.publicKey,
    secret_key: keys.secretKey,
    run,
    attempt,
    controller_pid: process.pid,
  });
}

async function forgetBootstrap(running: Running): Promise<void> {
  const path = running.bootstrapPath;
  running.bootstrapPath = null;
  if (path !== null) await removeBootstrap(path);
}

/** Only what the journal knows is ever returned to; the rest are half-truths of a crash. */
function removeUnknown(runFolder: string, state: State): void {
  const stored = state.best === null ? state.checkpoints : [...state.checkpoints, state.best];
  const known = new Set(stored.map(({ path }) => path));
  for (const folder of STORED_FOLDERS) {
    for (const name of listFolder(join(runFolder, folder))) {
      const path = `${folder}/${name}`;
      if (!known.has(path)) rmSync(join(runFolder, path), { recursive: true, force: true });
    }
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A path came over the wire: it must not lead out of the run folder. */
function removeInside(runFolder: string, path: string): void {
  const target = resolve(runFolder, path);
  const isStored = STORED_FOLDERS.some((folder) => target.startsWith(resolve(runFolder, folder) + sep));
  if (isStored) rmSync(target, { recursive: true, force: true });
}
