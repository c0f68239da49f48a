import { setTimeout as sleep } from "node:timers/promises";
import { writeRequestFile } from "../inbox/write.js";
import { UserError } from "../errors.js";
import { describeLostTail } from "../journal/lost-tail.js";
import { followJournal } from "../journal/reader.js";
import type { WatchedRun, WatchedSweep } from "../sweep/watched-sweep.js";
import { CLOCK_MILLISECONDS, leaveOnSignals, LOOK_MILLISECONDS } from "./app.js";
import { colorEnabled, enterAlternateScreen, unicodeEnabled } from "./terminal.js";
import { createTheme } from "./theme.js";
import { createSweepModel, type OpenedRuns } from "./model/sweep-model.js";
import { createViewModel, type ViewModel } from "./model/view-model.js";

export interface SweepViewOptions {
  /** What exists of the sweep now, cheaply: it is asked every second. */
  readonly look: (now: number) => Promise<WatchedSweep>;
  /** Both must be terminals: `canShowView` says so. */
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Of the process that makes the runs; null for one that only looks. */
  readonly making: {
    /** Runs at a time. */
    readonly places: number;
    /** Stops them with a checkpoint; again, without waiting for one. */
    readonly stop: () => void;
    /** Settles when there is nothing more to do: the view closes. */
    readonly over: Promise<unknown>;
  } | null;
}

const POLL_MILLISECONDS = 1000;

/**
 * Shows a sweep until the person leaves, or the process that makes its runs has no more to do. It only reads; requests to
 * a run that is opened go into that run's inbox.
 *
 * @returns why it closed; it does not wait for runs
 * @throws UserError where the sweep cannot be read at all
 */
export async function runSweepView(options: SweepViewOptions): Promise<"ended" | "detached" | "interrupted"> {
  // As in `runView`.
  process.env["NODE_ENV"] ??= "production";
  const { mountSweep } = await import("./live-view.js");
  const { stdout, stdin, env, making } = options;
  const closing = new AbortController();
  const leave = (why: "ended" | "detached" | "interrupted"): void => closing.abort(why);
  const first = await options.look(Date.now());
  const model = createSweepModel({
    sweep: first,
    interrupt: making === null ? "leave" : "stop",
    places: making?.places ?? null,
    now: Date.now(),
    openRuns: (runs, back) => openRuns(runs, back, env),
    stopRuns: () => making?.stop(),
    leave,
  });
  // Where runs are made here, signals mean that they stop.
  const restoreSignals = making === null ? leaveOnSignals(() => leave("detached")) : () => undefined;
  const leaveScreen = enterAlternateScreen(stdout);
  const theme = createTheme({ color: colorEnabled(stdout, env), unicode: unicodeEnabled(env) });
  const instance = mountSweep({ model, theme, stdout, stdin });
  const clock = setInterval(() => model.tick(Date.now()), CLOCK_MILLISECONDS);
  const over = (): void => leave("ended");
  void making?.over.then(over, over);
  void instance.waitUntilExit().then(() => leave("detached"));
  try {
    const isOver = (): boolean => closing.signal.aborted;
    while (!isOver()) {
      await sleep(POLL_MILLISECONDS, undefined, { signal: closing.signal }).catch(() => undefined);
      if (!isOver()) model.see(await options.look(Date.now()));
    }
  } finally {
    leave("ended");
    clearInterval(clock);
    restoreSignals();
    instance.unmount();
    leaveScreen();
  }
  return closing.signal.reason as "ended" | "detached" | "interrupted";
}

/** The existing view of runs, in the place of the sweep's, with their journals followed until it is closed. */
function openRuns(runs: readonly WatchedRun[], back: () => void, env: NodeJS.ProcessEnv): OpenedRuns {
  const closing = new AbortController();
  const model = createViewModel({
    runFolders: runs.map(({ folder }) => folder),
    interrupt: "leave",
    now: Date.now(),
    overlay: true,
    giveRequest: (runFolder, term, request) => {
      return writeRequestFile(runFolder, { term, who: env["USER"] ?? "view", request });
    },
    leave: back,
  });
  runs.forEach(({ folder }, index) => void follow(model, folder, index, closing.signal));
  return { model, close: () => closing.abort() };
}

/** One that cannot be read is one line in the view: the sweep's goes on. */
async function follow(model: ViewModel, runFolder: string, index: number, signal: AbortSignal): Promise<void> {
  let numRecords = 0;
  try {
    for await (const piece of followJournal(runFolder, { signal, pollMilliseconds: LOOK_MILLISECONDS })) {
      numRecords += piece.records.length;
      model.append(index, piece.records, piece.isLast);
      if (piece.lost !== null) model.note(describeLostTail(piece.lost, numRecords));
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    model.note(`${error.message}: ${error.hint}`);
  }
}
