import { LEVEL, studentInterval, type Interval } from "./intervals.js";
import { momentsOf, type Moments } from "./moments.js";

/** A score by seed. */
export type BySeed = ReadonlyMap<number, number>;

/** What one condition has over another with the same seeds. */
export interface PairedDifferences extends Moments {
  /** By seed, ascending; seeds that one of the two lacks are not in it. */
  readonly differences: readonly { readonly seed: number; readonly difference: number }[];
  /** Student's t interval of the mean difference; null below two seeds. */
  readonly interval: Interval | null;
}

/** `ours` minus `theirs`, seed by seed. */
export function pairedDifferences(ours: BySeed, theirs: BySeed, level = LEVEL): PairedDifferences {
  const differences = sharedSeeds(ours, theirs).map((seed) => ({
    seed,
    difference: ours.get(seed)! - theirs.get(seed)!,
  }));
  const values = differences.map(({ difference }) => difference);
  return { ...momentsOf(values), differences, interval: studentInterval(values, level) };
}

/** Seeds that both have, ascending. */
export function sharedSeeds(ours: BySeed, theirs: BySeed): number[] {
  return [...ours.keys()].filter((seed) => theirs.has(seed)).sort((a, b) => a - b);
}
