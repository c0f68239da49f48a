import { LEVEL, type Interval } from "./intervals.js";
import { randomStream } from "./philox.js";

/** As rliable takes for the probability of improvement, five times over. */
const RESAMPLES = 10_000;

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
  readonly level?: number;
}

/**
 * Percentile bootstrap, stratified: from each stratum (a data set), which has so many units (seeds), as many are drawn
 * with replacement. `statistic` gets the drawn indices of each stratum; resamples for which it is null do not count.
 * Null where none counts.
 */
export function bootstrapInterval(
  strata: readonly number[],
  statistic: (drawn: readonly (readonly number[])[]) => number | null,
  { resamples = RESAMPLES, seed = 0, level = LEVEL }: BootstrapOptions = {},
): Interval | null {
  const { below } = randomStream(seed);
  const draw = () => strata.map((size) => Array.from({ length: size }, () => below(size)));
  const values = Array.from({ length: resamples }, () => statistic(draw())).filter((value) => value !== null);
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return { lower: percentile(values, tail), upper: percentile(values, 1 - tail), level };
}

/** By linear interpolation between sorted values, as NumPy does. */
export function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [lower, upper] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return lower + (place - below) * (upper - lower);
}
