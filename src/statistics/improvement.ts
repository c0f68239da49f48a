import { meanOf } from "./moments.js";

/** Scores of independent runs of two conditions on one data set. */
export interface TwoSamples {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/**
 * The probability of improvement as rliable defines it: how often a run of ours, drawn at random, is better than one of
 * theirs, ties half; the mean over data sets. Null where a data set has no run of one side.
 */
export function probabilityOfImprovement(dataSets: readonly TwoSamples[]): number | null {
  const shares = dataSets.map(({ ours, theirs }) => {
    const points = ours.flatMap((our) => theirs.map((their): number => (our > their ? 1 : our === their ? 0.5 : 0)));
    return meanOf(points);
  });
  const known = shares.filter((share) => share !== null);
  return known.length < shares.length ? null : meanOf(known);
}
