import { meanOf } from "./moments.js";

/** From so many seeds on a table shows the interquartile mean and bootstraps; below, it shows the points themselves. */
export const ENOUGH_SEEDS = 6;

/** Share that is cut at each end. */
const CUT = 0.25;

/** The mean without the lowest and the highest quarter (IQM, rliable); null below six values, of which it drops too many. */
export function interquartileMean(values: readonly number[]): number | null {
  if (values.length < ENOUGH_SEEDS) return null;
  const cut = Math.floor(values.length * CUT);
  return meanOf(values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
}
