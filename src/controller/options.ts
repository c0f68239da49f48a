import type { RunConfig } from "../config/attached.js";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import type { Launcher } from "../launch/launcher.js";
import type { WorkerProgram } from "./perform.js";

export interface ControllerOptions {
  readonly runFolder: string;
  /** A new run to create; null goes on with the run that the journal holds. */
  readonly create: { readonly run: string; readonly config: RunConfig } | null;
  readonly launcher: Launcher;
  readonly worker: WorkerProgram;
  readonly thawlineVersion: string;
  readonly takeover?: boolean;
  /** Sees every record after it is in the journal, with the state it led to. */
  readonly onRecord?: (record: JournalRecord, state: State) => void;
  /** Lines for the operator that belong to no run record: refused connections and the like. */
  readonly onNotice?: (line: string) => void;
  readonly interrupts?: Interrupts;
}

/** Where signals come from; the listener is called for each one, with its name. */
export interface Interrupts {
  readonly listen: (listener: (signal: string) => void) => void;
}
