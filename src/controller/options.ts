import type { RunConfig } from "../config/attached.js";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import type { Launcher, WorkerProgram } from "../launch/launcher.js";
import type { RouterOptions, WorkerRouter } from "../transport/worker-router.js";
import type { Clock } from "./clock.js";
import type { Faults } from "./faults.js";

export interface ControllerOptions {
  readonly runFolder: string;
  /** A new run to create; null goes on with the run that the journal holds. */
  readonly create: { readonly run: string; readonly config: RunConfig } | null;
  readonly launcher: Launcher;
  readonly worker: WorkerProgram;
  readonly thawlineVersion: string;
  readonly takeover?: boolean;
  /** Whether the folder, a copy of another run's, goes on as a run of its own. */
  readonly asCopy?: boolean;
  /** Sees every record after it is in the journal, with the state it led to. */
  readonly onRecord?: (record: JournalRecord, state: State) => void;
  /** Lines for the operator that belong to no run record: refused connections and the like. */
  readonly onNotice?: (line: string) => void;
  readonly interrupts?: Interrupts;
  /** Faults of the process that nobody caught come in by it as well. */
  readonly faults?: Faults;
  /** Opens the line to the workers; a ZeroMQ socket of the loopback interface if left out. */
  readonly openRouter?: (options: RouterOptions) => Promise<WorkerRouter>;
  /** The system's if left out. */
  readonly clock?: Clock;
}

/** Where signals come from; the listener is called for each one, with its name. */
export interface Interrupts {
  readonly listen: (listener: (signal: string) => void) => void;
}
