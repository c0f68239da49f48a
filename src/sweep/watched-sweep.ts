import type { NamedScores } from "../reading/named-scores.js";
import type { JobStates } from "../slurm/job-watch.js";
import type { SweptRun } from "./swept-run.js";

/** A run of a sweep, as far as a glance at its files tells. */
export interface WatchedRun extends Pick<
  SweptRun,
  "id" | "condition" | "seed" | "axes" | "folder" | "standing" | "takenFrom" | "failure"
> {
  readonly k: { readonly value: number; readonly source: string } | null;
  /** Of a finished one. */
  readonly scores: NamedScores | null;
  /** Updates completed, and all of them; null where nobody has said so yet. */
  readonly step: number | null;
  readonly of: number | null;
  /** What the worker does now, such as `train`; null where it is not at work. */
  readonly phase: string | null;
  /** What a finished one took. */
  readonly seconds: number | null;
  /** Until it has finished, if it is at work or to be begun; null where nothing tells. */
  readonly secondsLeft: number | null;
}

/** A sweep at a moment, as views show it. */
export interface WatchedSweep {
  readonly name: string;
  readonly scale: string | null;
  readonly folder: string;
  readonly conditions: readonly string[];
  /** The score that decides; null until a run has finished, where the sweep does not name it. */
  readonly score: string | null;
  readonly runs: readonly WatchedRun[];
  /** Milliseconds since 1970: when its first run began, and when something was last heard of it; null before. */
  readonly beganAt: number | null;
  readonly lastAt: number | null;
  /** What the scheduler says of its jobs; empty where none were submitted, or nobody answers. */
  readonly jobs: JobStates;
}

/** What a run is known by before its time left is worked out. */
export type TimedRun = Omit<WatchedRun, "secondsLeft"> & {
  /** Milliseconds since 1970. */
  readonly beganAt: number | null;
  /** Whether it went on after an interruption: what has passed since it began is not what it took. */
  readonly resumed: boolean;
};
