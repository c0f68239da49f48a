import type { PlateauJudgement } from "../core/detector/plateau.js";
import type { PlateauView } from "../reading/plateau-view.js";
import { formatCount, formatNumber } from "./format.js";

/** What the plateau rule made of the latest point of a recorded signal. */
export function describePlateau({ phase, points, needed, gain, hasImproved }: PlateauJudgement): string {
  if (gain === null) return `${phase} (${points} of the ${needed} points that a first judgement needs)`;
  return hasImproved ? `${phase}: ${describeGain(gain)}` : `${phase}: it has not improved yet`;
}

/** The numbers behind a decision. */
export function plateauEvidence(judgement: PlateauJudgement, tau: number, epsilon: number): string {
  const { gain, hasImproved, stillImproves } = judgement;
  if (gain === null) return "too few points";
  if (!hasImproved) return "it has never improved";
  const isNoise = !stillImproves && gain > epsilon;
  return `${describeGain(gain)} in ${tau} points, ${isNoise ? "within its error" : `${gain <= epsilon ? "<=" : ">"} ${epsilon}`}`;
}

/** What is still waited for, of a signal called `name`. */
export function whyNoPlateau(name: string, { enough, improved, plateau, mode, tau, epsilon }: PlateauView): string {
  if (!enough.met) return `${name} has ${enough.count} of the ${enough.needed} points that a first judgement needs`;
  if (!improved.met) {
    const better = mode === "min" ? "lower" : "higher";
    return `${name} has not improved yet: no value is ${better} than the first by ${epsilon} of its range`;
  }
  return `${name} still improves: by ${formatNumber(plateau.gain ?? 0, 2)} of its range in its last ${formatCount(tau, "point")}, a plateau is ${epsilon}`;
}

function describeGain(gain: number): string {
  return gain > 0
    ? `better by ${formatNumber(gain, 2)} of its range`
    : `not better (${formatNumber(gain, 2)} of its range)`;
}

/** What was recorded instead of what was to decide; nothing, it may be. */
export function describeRecorded(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => `\`${name}\``);
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return names.length === 0 ? "nothing was" : `recorded were ${shown.join(", ")}${more}`;
}

const SHOWN = 8;
