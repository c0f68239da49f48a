import type { Manifest } from "../runs/manifest.js";
import type { Results } from "../reading/results.js";
import type { RunStanding } from "../reading/run-standing.js";

/** A value that a sweep gives a setting. */
export type Scalar = string | number | boolean | null;

/** A run of a sweep, as reports and tables read it. */
export interface SweptRun {
  /** The name of its folder: condition, seed and a hash of its configuration. */
  readonly id: string;
  readonly condition: string;
  readonly seed: number;
  /** Values of the sweep's axes for this run, by dotted key; empty where its condition has none. */
  readonly axes: Readonly<Record<string, Scalar>>;
  /** The folder that its journal is in: of a taken run, its source's. */
  readonly folder: string;
  readonly standing: RunStanding;
  /** The id of the run that trained the same; null where it trained itself. */
  readonly takenFrom: string | null;
  /** Null until it has finished. */
  readonly results: Results | null;
  readonly manifest: Manifest | null;
  /** Why it failed, in one sentence; null where it has not. */
  readonly failure: string | null;
}

/** A sweep with all of its runs, in the order of the plan. */
export interface Sweep {
  readonly name: string;
  /** As the sweep's file gives it. */
  readonly title: string | null;
  readonly folder: string;
  /** The named set of overrides it was made with, such as `small`; every number made with one is marked. */
  readonly scale: string | null;
  /** The score that decides, by the names of `namedScores`; null: that of `comparedBy`. */
  readonly evaluateOn: string | null;
  /** The condition that the others are compared with; null where there is none. */
  readonly baseline: string | null;
  readonly conditions: readonly string[];
  readonly runs: readonly SweptRun[];
}
