import { normalTail } from "./distributions.js";

/** Up to so many pairs of values without ties p is exact. */
const MOST_EXACT = 10;

export interface RankCorrelation {
  /** tau-b, which takes ties into account. */
  readonly tau: number;
  /** Two-sided, of no association. */
  readonly p: number;
  readonly exact: boolean;
  readonly n: number;
}

/** Kendall's tau-b of two equally long series with its p-value; null where one of them is constant or shorter than two. */
export function kendallTau(xs: readonly number[], ys: readonly number[]): RankCorrelation | null {
  const n = xs.length;
  if (n !== ys.length) throw new RangeError(`Kendall's tau of ${n} values and ${ys.length}`);
  const { concordant, discordant, tiedX, tiedY } = countPairs(xs, ys);
  const pairs = (n * (n - 1)) / 2;
  if (pairs === tiedX || pairs === tiedY) return null;
  const surplus = concordant - discordant;
  const tau = Math.max(-1, Math.min(1, surplus / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY)));
  const exact = n <= MOST_EXACT && tiedX === 0 && tiedY === 0;
  const p = exact ? exactP(n, discordant) : asymptoticP(surplus, n, groupSizes(xs), groupSizes(ys));
  return { tau, p, exact, n };
}

function countPairs(xs: readonly number[], ys: readonly number[]) {
  let [concordant, discordant, tiedX, tiedY] = [0, 0, 0, 0];
  for (let i = 0; i < xs.length; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [Math.sign(xs[i]! - xs[j]!), Math.sign(ys[i]! - ys[j]!)];
      if (x === 0) tiedX++;
      if (y === 0) tiedY++;
      if (x * y > 0) concordant++;
      else if (x * y < 0) discordant++;
    }
  }
  return { concordant, discordant, tiedX, tiedY };
}

/** Among all orders of n, the share with as few inversions as this, or as many, from both ends. */
function exactP(n: number, inversions: number): number {
  const pairs = (n * (n - 1)) / 2;
  const fewest = Math.min(inversions, pairs - inversions);
  const counts = inversionCounts(n);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const tail = counts.slice(0, fewest + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / total);
}

/** How many orders of n things have 0, 1, 2, ... inversions. */
function inversionCounts(n: number): number[] {
  let counts = [1];
  for (let size = 2; size <= n; size++) {
    const next = new Array<number>(counts.length + size - 1).fill(0);
    counts.forEach((count, inversions) => {
      for (let more = 0; more < size; more++) next[inversions + more]! += count;
    });
    counts = next;
  }
  return counts;
}

/** By the normal distribution, with the variance that ties leave (Kendall 1970, chapter 4). */
function asymptoticP(surplus: number, n: number, xTies: readonly number[], yTies: readonly number[]): number {
  const sum = (sizes: readonly number[], term: (t: number) => number) => sizes.reduce((all, t) => all + term(t), 0);
  const twos = (t: number) => t * (t - 1);
  const threes = (t: number) => t * (t - 1) * (t - 2);
  const fives = (t: number) => t * (t - 1) * (2 * t + 5);
  const m = n * (n - 1);
  const variance =
    (m * (2 * n + 5) - sum(xTies, fives) - sum(yTies, fives)) / 18 +
    (sum(xTies, twos) * sum(yTies, twos)) / (2 * m) +
    (n > 2 ? (sum(xTies, threes) * sum(yTies, threes)) / (9 * m * (n - 2)) : 0);
  return Math.min(1, 2 * normalTail(Math.abs(surplus) / Math.sqrt(variance)));
}

/** Sizes of the groups of equal values. */
function groupSizes(values: readonly number[]): number[] {
  const sizes = new Map<number, number>();
  // -0 and 0 are one value; a Map thinks so too.
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()];
}
