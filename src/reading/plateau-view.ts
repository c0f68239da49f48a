import { isPlateau } from "../core/detector/series-rule.js";
import type { SignalPhase } from "../core/detector/stabilization.js";
import { detectorRule } from "../core/measured.js";
import type { State } from "../core/state.js";

/** The conditions of the plateau rule one by one. Improvements are shares of the range so far. */
export interface PlateauView {
  readonly phase: SignalPhase;
  readonly tau: number;
  readonly epsilon: number;
  readonly mode: "min" | "max";
  readonly points: number;
  readonly enough: { readonly count: number; readonly needed: number; readonly met: boolean };
  /** It has been better than at first, ahead of the latest tau points. */
  readonly improved: { readonly value: number | null; readonly met: boolean };
  /** What the latest tau points gained is too little, or within its error. */
  readonly plateau: { readonly gain: number | null; readonly met: boolean };
  readonly allMet: boolean;
}

/** The conditions as last judged; null as long as no boundary was, and where another rule finds k. */
export function selectPlateau(state: State): PlateauView | null {
  const { judgement } = state.signal;
  if (judgement === null || !isPlateau(judgement)) return null;
  const { tau, epsilon, mode = "min" } = detectorRule(state.config);
  const { phase, points, needed, improved, gain, hasImproved, stillImproves, fired } = judgement;
  return {
    phase,
    tau,
    epsilon,
    mode,
    points,
    enough: { count: points, needed, met: points >= needed },
    improved: { value: improved, met: hasImproved },
    plateau: { gain, met: gain !== null && !stillImproves },
    allMet: fired,
  };
}
