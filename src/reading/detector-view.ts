import { detectorRule } from "../core/measured.js";
import { isPlateau } from "../core/detector/series-rule.js";
import { numChanges } from "../core/detector/prefix.js";
import {
  ARMING_FACTOR,
  CALM_CHANGES,
  LEAST_RELATIVE_RANGE,
  noiseOf,
  type SignalPhase,
} from "../core/detector/stabilization.js";
import type { State } from "../core/state.js";

/** The online rule's conditions one by one: what it waits for is what is not `met`. */
export interface DetectorView {
  readonly phase: SignalPhase;
  readonly tau: number;
  readonly epsilon: number;
  readonly points: number;
  /** The signal has moved by a fair share of its own size. */
  readonly moved: { readonly value: number; readonly least: number; readonly met: boolean };
  /** A transient has been seen: its largest smoothed change. */
  readonly transient: { readonly value: number | null; readonly least: number; readonly met: boolean };
  /** Calm changes in a row, and the latest change. */
  readonly calm: {
    readonly count: number;
    readonly needed: number;
    readonly change: number | null;
    readonly met: boolean;
  };
  /** The largest standard error among the latest changes; null where one of them is unknown. */
  readonly noise: { readonly value: number | null; readonly below: number; readonly met: boolean };
  readonly allMet: boolean;
}

/** The conditions as last judged; null as long as no boundary was, and where another rule finds k. */
export function selectDetector(state: State): DetectorView | null {
  const { judgement } = state.signal;
  if (judgement === null || isPlateau(judgement)) return null;
  const { tau, epsilon } = detectorRule(state.config);
  const noise = recentNoise(state);
  const moved = judgement.relativeRange >= LEAST_RELATIVE_RANGE;
  const rose = judgement.steepest !== null && judgement.steepest > ARMING_FACTOR * epsilon;
  const calm = judgement.calm >= CALM_CHANGES;
  const quiet = noise !== null && noise < epsilon;
  return {
    phase: judgement.phase,
    tau,
    epsilon,
    points: judgement.points,
    moved: { value: judgement.relativeRange, least: LEAST_RELATIVE_RANGE, met: moved },
    transient: { value: judgement.steepest, least: ARMING_FACTOR * epsilon, met: rose },
    calm: { count: judgement.calm, needed: CALM_CHANGES, change: judgement.change, met: calm },
    noise: { value: noise, below: epsilon, met: quiet },
    allMet: moved && rose && calm && quiet,
  };
}

/** The rule asks that each of the latest changes is measured finely enough, so the largest error counts. */
function recentNoise({ signal: { prefix } }: State): number | null {
  const read = prefix?.read;
  if (read === undefined || !("spanErrors" in read) || numChanges(read) < CALM_CHANGES) return null;
  const noises = read.spanErrors.map((error) => noiseOf(read, error));
  return noises.reduce((largest, noise) => (largest === null || noise === null ? null : Math.max(largest, noise)));
}
