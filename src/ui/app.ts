import { setTimeout as sleep } from "node:timers/promises";
import { writeRequestFile } from "../inbox/write.js";
import type { State } from "../core/state.js";
import { describeLostTail } from "../journal/lost-tail.js";
import { followEvents } from "../journal/reader.js";
import { printable } from "../printable.js";
import { shortPath } from "../words/format.js";
import { colorEnabled, enterAlternateScreen, unicodeEnabled } from "./terminal.js";
import { createTheme } from "./theme.js";
import { createViewModel, type ViewModel } from "./model/view-model.js";

export interface ViewOptions {
  readonly runFolders: readonly string[];
  /** Both must be terminals: `canShowView` says so. */
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** What Ctrl-C means: stop the run and wait for its end (`run`), or leave it alone (`watch`). With `stop` the view closes at the end. */
  readonly interrupt: "stop" | "leave";
  /** Settles when the controller's process is gone; the view then closes even if the journal has no end. */
  readonly gone?: Promise<unknown>;
}

export interface ViewExit {
  readonly why: "ended" | "detached" | "interrupted";
  /** Of the run that was shown last; null when its journal had not begun. */
  readonly state: State | null;
}

export const CLOCK_MILLISECONDS = 1000;

/** Whoever looks sees no more from a frame for each boundary, and each is laid out anew. */
export const LOOK_MILLISECONDS = 500;

/** After its controller is gone the journal's last records still have to be read. */
const LAST_RECORDS_MILLISECONDS = 1000;

/**
 * Shows runs until they end or the person leaves. Reads their journals and writes control files; a view that dies
 * leaves the runs as they are.
 * @throws UserError `damaged_journal`
 */
export async function runView(options: ViewOptions): Promise<ViewExit> {
  // React's development build records every render in the performance timeline, which grows without bound.
  process.env["NODE_ENV"] ??= "production";
  const { mount } = await import("./live-view.js");
  const { stdout, stdin, env, runFolders, interrupt } = options;
  const closing = new AbortController();
  const leave = (why: ViewExit["why"]): void => closing.abort(why);
  const model = createViewModel({
    runFolders,
    interrupt,
    now: Date.now(),
    overlay: true,
    giveRequest: (runFolder, term, request) => {
      return writeRequestFile(runFolder, { term, who: env["USER"] ?? "view", request });
    },
    leave,
  });
  const restoreSignals = leaveOnSignals(() => leave("detached"));
  const leaveScreen = enterAlternateScreen(stdout);
  const unicode = unicodeEnabled(env);
  const instance = mount({ model, theme: createTheme({ color: colorEnabled(stdout, env), unicode }), stdout, stdin });
  const clock = setInterval(() => model.tick(Date.now()), CLOCK_MILLISECONDS);
  const closeOnceGone = (): Promise<void> => sleep(LAST_RECORDS_MILLISECONDS).then(() => leave("ended"));
  void options.gone?.then(closeOnceGone, closeOnceGone);
  try {
    const drawn = instance.waitUntilExit().then(() => leave("detached"));
    const followed = runFolders.map((folder, index) => follow(model, folder, index, closing.signal, interrupt, leave));
    await Promise.race([Promise.all(followed), drawn]);
  } finally {
    leave("ended");
    clearInterval(clock);
    restoreSignals();
    instance.unmount();
    leaveScreen();
  }
  const { runs, view } = model.snapshot();
  // The reason of the first abort; later ones change nothing.
  const why = closing.signal.reason as ViewExit["why"];
  if (why !== "ended") stdout.write(printable(describeReturn(runFolders, view.interrupted)));
  return { why, state: runs[view.shown]!.state };
}

async function follow(
  model: ViewModel,
  runFolder: string,
  index: number,
  signal: AbortSignal,
  interrupt: ViewOptions["interrupt"],
  leave: (why: ViewExit["why"]) => void,
): Promise<void> {
  let numRecords = 0;
  for await (const { records, isLast, lost } of followEvents(runFolder, {
    signal,
    pollMilliseconds: LOOK_MILLISECONDS,
  })) {
    numRecords += records.length;
    model.append(index, records, isLast);
    if (lost !== null) model.note(describeLostTail(lost, numRecords));
    if (!isLast) continue;
    const over = model.snapshot().runs.every((run) => run.state !== null && run.state.end !== null);
    if (over && interrupt === "stop") leave("ended");
  }
}

/** A terminal that closes, a polite kill, and a SIGINT that is no key, leave the run alone and the terminal tidy. */
export function leaveOnSignals(leave: () => void): () => void {
  const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
  for (const signal of signals) process.on(signal, leave);
  return () => {
    for (const signal of signals) process.removeListener(signal, leave);
  };
}

function describeReturn(runFolders: readonly string[], stopping: boolean): string {
  const what = stopping ? "the run stops with a checkpoint" : "the run is left alone";
  return `the view is closed, ${what}; return with\n  npx thawline watch ${runFolders.map(shortPath).join(" ")}\n`;
}
