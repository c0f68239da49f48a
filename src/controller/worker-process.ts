import { join } from "node:path";
import type { Event } from "../core/events.js";
import type { State } from "../core/state.js";
import { UserError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { removeBootstrap, writeBootstrap } from "../launch/bootstrap.js";
import type { LaunchedWorker, Launcher, WorkerProgram } from "../launch/launcher.js";
import { tailOf } from "../launch/tail.js";
import type { WorkerRouter } from "../transport/worker-router.js";
import type { Clock } from "./clock.js";
import { removeUnknownFolders } from "./stored-folders.js";

/** The worker's output, in the run folder. */
const WORKER_LOG = "worker.log";

/** How long the last messages of a worker that is already gone may take to arrive; they have left its socket by then. */
export const LAST_WORDS_MILLISECONDS = 500;
const LAST_WORDS_POLL_MILLISECONDS = 10;

const TAIL_LINES = 12;
const TAIL_BYTES = 4096;

export interface WorkerProcessOptions {
  readonly runFolder: string;
  readonly router: WorkerRouter;
  readonly launcher: Launcher;
  readonly worker: WorkerProgram;
  readonly clock: Clock;
  /** The identity of the run folder, for the environment of the process. */
  readonly runIdentity: string;
  readonly emit: (event: Event) => void;
  /** Whether the attempt may still have something to say: it has neither closed nor been ended. */
  readonly awaitsLastWords: (attempt: number) => boolean;
  /** Something of our own failed, where nobody waits for it. */
  readonly onFault: (error: unknown) => void;
  readonly onNotice: (line: string) => void;
}

/** One attempt's process, from the wait before its start to its exit. */
interface Running {
  readonly attempt: number;
  readonly cancel: AbortController;
  worker: LaunchedWorker | null;
  /** The file with the worker's keys, once it was written. */
  bootstrapPath: string | null;
  /** Settles when the process was started, or was not. */
  started: Promise<void>;
}

/** The process of the attempt under way, one at a time. What becomes of it comes back as events. */
export class WorkerProcess {
  private running: Running | null = null;

  constructor(private readonly options: WorkerProcessOptions) {}

  /** Starts the process of `attempt` after `delaySeconds`. */
  launch(attempt: number, delaySeconds: number, state: State): void {
    const cancel = new AbortController();
    const mine: Running = { attempt, cancel, worker: null, bootstrapPath: null, started: Promise.resolve() };
    this.running = mine;
    mine.started = this.start(mine, delaySeconds, state).catch(this.options.onFault);
  }

  /** The worker has said hello: nobody needs the file with its keys any more. */
  forgetKeys(): void {
    if (this.running !== null) void this.removeKeys(this.running);
  }

  /** Ends the process of `attempt`, or keeps it from being started; without effect for other attempts. */
  kill(attempt: number): void {
    if (this.running?.attempt !== attempt) return;
    this.running.cancel.abort();
    this.running.worker?.kill();
  }

  /** Leaves no process and no file with keys. */
  async close(): Promise<void> {
    const mine = this.running;
    if (mine === null) return;
    mine.cancel.abort();
    await mine.started;
    await this.removeKeys(mine);
    mine.worker?.kill();
    await mine.worker?.exited;
  }

  private async start(mine: Running, delaySeconds: number, state: State): Promise<void> {
    const { attempt, cancel } = mine;
    try {
      await this.options.clock.sleep(delaySeconds * 1000, cancel.signal);
      mine.worker = await this.startProcess(mine, state);
    } catch (error) {
      await this.removeKeys(mine);
      this.tellNotStarted(mine, error);
      return;
    }
    failpoint("worker.started");
    const { pid, startTime } = mine.worker;
    this.options.emit({ type: "attempt/launched", attempt, pid, startTime: startTime ?? "" });
    if (cancel.signal.aborted) mine.worker.kill();
    this.watch(mine, mine.worker).catch(this.options.onFault);
  }

  private async startProcess(mine: Running, state: State): Promise<LaunchedWorker> {
    const { runFolder, launcher, worker, runIdentity } = this.options;
    for (const path of removeUnknownFolders(runFolder, state)) {
      this.options.onNotice(`\`${path}\` is left of a crash and cannot be removed; nothing reads it`);
    }
    mine.bootstrapPath = await this.writeKeys(state.run, mine.attempt);
    return launcher.launch({
      ...worker,
      workingFolder: state.config.script?.folder ?? runFolder,
      logPath: join(runFolder, WORKER_LOG),
      bootstrapPath: mine.bootstrapPath,
      runIdentity,
      environment: workerEnvironment(state),
    });
  }

  /** @throws whatever is neither a cancelled start nor the user's to mend */
  private tellNotStarted({ attempt, cancel }: Running, error: unknown): void {
    if (cancel.signal.aborted) {
      this.options.emit({ type: "attempt/exited", attempt, exitCode: null, signal: "SIGKILL", tail: "" });
      return;
    }
    if (!(error instanceof UserError)) throw error;
    const { code, message, hint } = error;
    this.options.emit({ type: "attempt/launchFailed", attempt, code, message, hint });
  }

  private async watch(mine: Running, worker: LaunchedWorker): Promise<void> {
    const { clock, router, runFolder, awaitsLastWords, emit } = this.options;
    const { exitCode, signal } = await worker.exited;
    // Its socket was flushed before it ended; give what is still in the kernel's buffers time to be read.
    const deadline = clock.now() + LAST_WORDS_MILLISECONDS;
    while (awaitsLastWords(mine.attempt) && clock.now() < deadline) await clock.sleep(LAST_WORDS_POLL_MILLISECONDS);
    await this.removeKeys(mine);
    router.expel(mine.attempt);
    const tail = await tailOf(join(runFolder, WORKER_LOG), TAIL_LINES, TAIL_BYTES);
    emit({ type: "attempt/exited", attempt: mine.attempt, exitCode, signal, tail });
  }

  private writeKeys(run: string, attempt: number): Promise<string> {
    const { router } = this.options;
    const keys = router.admit(attempt);
    return writeBootstrap({
      endpoint: router.endpoint,
      server_key: router.serverPublicKey,
      public_key: keys.publicKey,
      secret_key: keys.secretKey,
      run,
      attempt,
      controller_pid: process.pid,
    });
  }

  /** Each caller waits until the file is gone, whoever began to remove it. Never rejects. */
  private async removeKeys({ bootstrapPath }: Running): Promise<void> {
    if (bootstrapPath === null) return;
    await removeBootstrap(bootstrapPath).catch((error: Error) => {
      this.options.onNotice(`a worker's keys could not be removed, do so yourself: ${error.message}`);
    });
  }
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
