import type { RunConfig } from "../config/attached.js";
import { control, type ControllerEnd } from "../controller/controller.js";
import { Faults } from "../controller/faults.js";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { ExternalError, UserError } from "../errors.js";
import { localLauncher } from "../launch/local.js";
import { packageVersion } from "../package.js";
import { standardError, standardOutput } from "../output.js";
import { createPlainLines, jsonLine, type PlainLines } from "../words/plain.js";
import { shortPath } from "../words/format.js";
import { summary } from "../words/summary.js";
import { colorEnabled } from "../ui/terminal.js";
import { workerProgramOf } from "./worker-program.js";

/** How a controller in the foreground tells what happens: a line an event, JSON lines, or nothing until the end. */
export type Telling = "plain" | "json" | "quiet";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP"] as const;
/** To all processes of a job, and by the sweep that runs in it to its runs once more: together they are one order to stop. */
const SENT_BY_SLURM = ["SIGTERM", "SIGUSR1", "SIGUSR2"];

export interface ForegroundOptions {
  readonly runFolder: string;
  /** Of the run to create, or of the one in the folder. */
  readonly config: RunConfig;
  readonly create: { readonly run: string; readonly config: RunConfig } | null;
  readonly telling: Telling;
  readonly takeover?: boolean;
  readonly asCopy?: boolean;
  /** Signals that leave the run alone: a detached controller outlives the terminal. */
  readonly ignoreHangup?: boolean;
  /** Whether the run stops, with a checkpoint, when whoever holds the other end of standard input is gone. */
  readonly tied?: boolean;
}

/** Runs the controller in this process; signals mean stop with a checkpoint. Sets the exit code of the run. */
export async function runInForeground(options: ForegroundOptions): Promise<void> {
  const plainLines = createPlainLines();
  // The journal has everything: hours of training must not end because nobody reads the pipe any more.
  standardOutput.whenGone(() => undefined);
  // Whatever nobody caught ends the run by the one way there is: journaled, its worker ended, its lock let go.
  const faults = new Faults();
  process.on("uncaughtException", faults.report);
  const end = await control({
    faults,
    runFolder: options.runFolder,
    create: options.create,
    launcher: localLauncher,
    worker: await workerProgramOf(options.config),
    thawlineVersion: packageVersion(),
    takeover: options.takeover ?? false,
    asCopy: options.asCopy ?? false,
    onRecord: (record, state) => tell(options.telling, plainLines, record, state),
    onNotice: (line) => standardError.print(`${line}\n`),
    interrupts: {
      listen: (listener) => {
        const isNews = process.env["SLURM_JOB_ID"] === undefined ? () => true : onceOf(SENT_BY_SLURM);
        let isStopping = false;
        const interrupt = (signal: string): void => {
          isStopping = true;
          listener(signal);
        };
        for (const signal of SIGNALS) {
          const ignored = signal === "SIGHUP" && options.ignoreHangup === true;
          process.on(signal, () => (ignored || !isNews(signal) ? undefined : interrupt(signal)));
        }
        // A sweep that has ordered the end and is gone before it orders nothing new.
        const orphaned = (): void => (isStopping ? undefined : interrupt("the end of its sweep"));
        if (options.tied === true) process.stdin.on("close", orphaned).resume();
      },
    },
  });
  process.off("uncaughtException", faults.report);
  tellEnd(options, end);
}

/** Whether a signal says something new: of `signals` the first one does, and every other signal each time. */
function onceOf(signals: readonly string[]): (signal: string) => boolean {
  let heard = false;
  return (signal) => {
    if (!signals.includes(signal)) return true;
    const isFirst = !heard;
    heard = true;
    return isFirst;
  };
}

function tell(telling: Telling, plainLines: PlainLines, record: JournalRecord, state: State): void {
  if (telling === "json") standardOutput.print(`${jsonLine(record)}\n`);
  if (telling === "plain") for (const line of plainLines(record, state)) standardOutput.print(`${line}\n`);
}

/** @throws UserError or ExternalError for a run that failed, or whose results could not be written: whoever reads only stderr must learn why */
function tellEnd(options: ForegroundOptions, { state, results, unwritten }: ControllerEnd): void {
  process.exitCode = state.end?.exitCode ?? 1;
  if (options.telling !== "json") {
    const color = colorEnabled(process.stdout, process.env);
    const text = summary(results, { runFolder: shortPath(options.runFolder), state, color });
    standardOutput.printStyled(`\n${text}\n`);
  }
  if (state.end?.outcome === "failed")
    throw state.end.exitCode === 2 ? new UserError(state.end) : new ExternalError(state.end);
  if (unwritten !== null) throw unwritten;
}
