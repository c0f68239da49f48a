/** How an attempt's worker is started and ended; `local` is on this machine. */
export interface Launcher {
  /** Resolves once the process exists. @throws UserError where the command cannot be started. */
  launch(request: LaunchRequest): Promise<LaunchedWorker>;
}

/** What is started as a worker, and the folder that holds the Python package `thawline`. */
export interface WorkerProgram {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly pythonFolder: string;
}

export interface LaunchRequest extends WorkerProgram {
  workingFolder: string;
  /** What the worker prints is appended to this file. */
  logPath: string;
  /** The bootstrap file, which the worker finds by THAWLINE_BOOTSTRAP. */
  bootstrapPath: string;
  /** The identity of the run folder, by which everything that the worker starts is found again (process-group.ts). */
  runIdentity: string;
  /** More environment, e.g. the thread count. */
  environment?: Readonly<Record<string, string>>;
}

export interface WorkerExit {
  exitCode: number | null;
  /** The signal that ended it, e.g. SIGKILL. */
  signal: NodeJS.Signals | null;
}

export interface LaunchedWorker {
  /** Also the id of the process group that holds the worker and everything it starts. */
  readonly pid: number;
  /** Tells this process from a later one with the same pid (process-group.ts); null where the system does not say. */
  readonly startTime: string | null;
  /** Resolves when the worker has exited and everything that it had started is gone. */
  readonly exited: Promise<WorkerExit>;
  /** SIGKILL to the whole group. */
  kill(): void;
}
