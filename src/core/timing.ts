import type { Body } from "../protocol/messages.js";
import type { Timing } from "./state.js";

/** What one measurement and one update take. */
export interface Cost {
  readonly secondsPerPoint: number;
  readonly secondsPerUpdate: number;
  /** How many measurements and updates that is the mean of. */
  readonly points: number;
  readonly updates: number;
}

/** The measurement after which there is a cost. */
export const TIMED_POINTS = 3;

/**
 * The timing with one boundary more. An attempt's first measurement makes what later ones only look at (what is kept of
 * frozen layers, the check of per-example gradients), and its first updates compile, warm caches and start loaders: so
 * measuring counts from the second measurement on, and training from behind it. A new process begins all of that anew.
 *
 * @param measured whether the boundary completed a measurement
 */
export function timeBoundary(
  before: Timing | null,
  attempt: number,
  { update, seconds }: Pick<Body<"boundary">, "update" | "seconds">,
  measured: boolean,
): Timing {
  const known = before?.attempt === attempt ? before : { attempt, measured: 0, probe: 0, since: null, train: 0 };
  const count = known.measured + (measured ? 1 : 0);
  return {
    attempt,
    measured: count,
    probe: known.measured === 0 ? 0 : known.probe + seconds.probe,
    since: known.since ?? (count === 2 ? update : null),
    train: known.since === null ? 0 : known.train + seconds.train,
  };
}

/** What was timed until boundary `update`; null before there is enough of it. */
export function costOf(timing: Timing | null, update: number): Cost | null {
  if (timing === null || timing.since === null || timing.measured < TIMED_POINTS || timing.train === 0) return null;
  const [points, updates] = [timing.measured - 1, update - timing.since];
  return updates <= 0
    ? null
    : { secondsPerPoint: timing.probe / points, secondsPerUpdate: timing.train / updates, points, updates };
}

/** Seconds of measuring as a share of those of training, with a point every `every` updates. */
export function shareOf({ secondsPerPoint, secondsPerUpdate }: Cost, every: number): number {
  return secondsPerPoint / (secondsPerUpdate * every);
}
