import { normalQuantile, studentQuantile } from "./distributions.js";
import { momentsOf } from "./moments.js";

/** Of a confidence interval, the level by which it is called: 0.95. */
export const LEVEL = 0.95;

export interface Interval {
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
}

/** Student's t interval of a mean; null below two values, which do not know their own spread. */
export function studentInterval(values: readonly number[], level = LEVEL): Interval | null {
  const { n, mean, standardDeviation } = momentsOf(values);
  if (mean === null || standardDeviation === null) return null;
  const half = (studentQuantile((1 + level) / 2, n - 1) * standardDeviation) / Math.sqrt(n);
  return { lower: mean - half, upper: mean + half, level };
}

/** Wilson's score interval of a proportion; `successes` may have halves, as of ties. Null of no trials. */
export function wilsonInterval(successes: number, trials: number, level = LEVEL): Interval | null {
  if (trials === 0) return null;
  const z = normalQuantile((1 + level) / 2);
  const share = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  // Exactly 0 and 1 at the edges, where the difference would leave a rounding error.
  const lower = successes === 0 ? 0 : Math.max(0, centre - half);
  const upper = successes === trials ? 1 : Math.min(1, centre + half);
  return { lower, upper, level };
}
