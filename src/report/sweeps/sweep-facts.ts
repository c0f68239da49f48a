import type { RunConfig } from "../../config/attached.js";
import type { Sweep } from "../../sweep/swept-run.js";
import type { RunFacts } from "../facts/run-facts.js";
import type { UnreadRun } from "../run-cache.js";

/** A sweep with what the journals of its runs say. */
export interface SweepFacts {
  readonly sweep: Sweep;
  /** Whether somebody planned its runs together, so that those that are missing are known. */
  readonly isPlanned: boolean;
  /** By the id of a run; runs that have not begun, or cannot be read, are not in it. Of a taken run, its source's. */
  readonly runs: ReadonlyMap<string, RunFacts>;
  readonly unread: readonly UnreadRun[];
  /** By the id of a run, as it was planned: of runs that have not begun as well. */
  readonly configs: ReadonlyMap<string, RunConfig>;
  /** What each condition has of its own, by its name: settings that not all of them share. */
  readonly differences: Readonly<Record<string, readonly string[]>>;
}
