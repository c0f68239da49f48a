import { finitePoints, signalKey } from "./signal.js";
import { ARMING_FACTOR, CALM_CHANGES, LEAST_RELATIVE_RANGE, type SignalPhase } from "./stabilization.js";
import type { State } from "./state.js";

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

/** Null as long as nothing was judged. */
export function selectDetector(state: State): DetectorView | null {
  const { judgement } = state;
  if (judgement === null) return null;
  const { tau, epsilon, signal } = state.config.intervention;
  const noise = recentNoise(state, signalKey(signal), tau);
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
function recentNoise(state: State, key: string, tau: number): number | null {
  const points = finitePoints(state.series[key] ?? [], state.judgedUntil);
  const values = points.map((point) => point.value);
  const range = Math.max(...values) - Math.min(...values);
  const recent = points.slice(tau).slice(-CALM_CHANGES);
  if (recent.length < CALM_CHANGES || !(range > 0)) return null;
  const errors = recent.map((point) => point.spanError);
  if (errors.some((error) => error === null)) return null;
  return Math.max(...errors.map((error) => error! / (tau * range)));
}
