/** How an attempt's worker is started and ended; `local` is on this machine. */
export interface Launcher {
  /** Resolves once the process exists. @throws UserError where the command cannot be started. */
  launch(request: LaunchRequest): Promise<LaunchedWorker>;
}

export interface LaunchRequest {
  /** Program and arguments. */
  command: readonly [string, ...string[]];
  workingFolder: string;
  /** What the worker prints is appended to this file. */
  logPath: string;
  /** The bootstrap file, which the worker finds by THAWLINE_BOOTSTRAP. */
  bootstrapPath: string;
  /** Folder that holds the Python package `thawline`. */
  pythonFolder: string;
  /** More environment, e.g. the thread count. */
  environment?: Readonly<Record<string, string>>;
}

export interface WorkerExit {
  exitCode: number | null;
  /** The signal that ended it, e.g. SIGKILL. */
  signal: NodeJS.Signals | null;
}

export interface LaunchedWorker {
  readonly pid: number;
  /** Id of the process group that holds the worker and everything it starts. */
  readonly processGroup: number;
  /** Tells this process from a later one with the same pid (process-group.ts); null where the system does not say. */
  readonly startTime: string | null;
  /** Resolves when the worker has exited and the rest of its group was killed. */
  readonly exited: Promise<WorkerExit>;
  /** SIGINT to the worker alone, as Ctrl-C in its own terminal would. */
  interrupt(): void;
  /** SIGKILL to the whole group. */
  kill(): void;
}
