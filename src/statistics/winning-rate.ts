import { bootstrapInterval, type BootstrapOptions } from "./bootstrap.js";
import { ENOUGH_SEEDS } from "./interquartile-mean.js";
import { wilsonInterval, type Interval } from "./intervals.js";
import { sharedSeeds, type BySeed } from "./paired.js";

/** Of one data set: scores with the k that was chosen, and with each k that was drawn at random. */
export interface Contest {
  readonly dataSet: string;
  /** Without the runs whose k came from `cap`: nothing chose it. */
  readonly chosen: BySeed;
  readonly drawn: readonly { readonly k: number; readonly scores: BySeed }[];
}

export interface WinningRate {
  /** Pairs of a data set and a drawn k in which the seed mean of the chosen k is higher; ties count half. */
  readonly wins: number;
  readonly pairs: number;
  /** Pairs without a seed in common, which are not among `pairs`. */
  readonly incomparable: number;
  readonly rate: number | null;
  /** Wilson's, of `wins` among `pairs`. */
  readonly interval: Interval | null;
  /** The same share seed by seed, pooled over the data sets. */
  readonly perSeed: readonly { readonly seed: number; readonly wins: number; readonly pairs: number }[];
  /** Over all seeds: of every pair with every seed. */
  readonly perSeedRate: number | null;
  /** Of `rate`, resampling seeds within each data set; null where one has fewer than six. */
  readonly bootstrap: Interval | null;
}

/** Means that differ by less are one: no score is that fine, and rounding must not decide a tie. */
const TIE = 1e-12;

/**
 * The winning rate of Table 2: the share of pairs of a data set and a random k in which the mean over seeds with the
 * chosen k is higher, pooled over data sets. Means are taken over the seeds that both have.
 */
export function winningRate(contests: readonly Contest[], options: BootstrapOptions = {}): WinningRate {
  const margins = contests.map(marginsOf);
  const all = margins.map(({ seeds }) => seeds.map((_, index) => index));
  const { wins, pairs } = tally(margins, all);
  const offered = contests.reduce((sum, { drawn }) => sum + drawn.length, 0);
  const perSeed = seedBySeed(margins);
  const compared = perSeed.reduce((sum, seed) => sum + seed.pairs, 0);
  const enough = margins.length > 0 && margins.every(({ seeds }) => seeds.length >= ENOUGH_SEEDS);
  return {
    wins,
    pairs,
    incomparable: offered - pairs,
    rate: share(wins, pairs),
    interval: wilsonInterval(wins, pairs),
    perSeed,
    perSeedRate: share(
      perSeed.reduce((sum, seed) => sum + seed.wins, 0),
      compared,
    ),
    bootstrap: enough ? bootstrapRate(margins, options) : null,
  };
}

/** By how much the chosen k is better than each drawn one, seed by seed. */
interface Margins {
  readonly seeds: readonly number[];
  /** A row for each drawn k, a column for each of `seeds`; null where the drawn k lacks it. */
  readonly rows: readonly (readonly (number | null)[])[];
}

function marginsOf({ chosen, drawn }: Contest): Margins {
  const seeds = [...chosen.keys()].filter((seed) => drawn.some(({ scores }) => scores.has(seed))).sort((a, b) => a - b);
  const rows = drawn.map(({ scores }) => {
    const shared = new Set(sharedSeeds(chosen, scores));
    return seeds.map((seed) => (shared.has(seed) ? chosen.get(seed)! - scores.get(seed)! : null));
  });
  return { seeds, rows };
}

function tally(margins: readonly Margins[], drawn: readonly (readonly number[])[]): { wins: number; pairs: number } {
  let wins = 0;
  let pairs = 0;
  margins.forEach(({ rows }, stratum) => {
    for (const row of rows) {
      let sum = 0;
      let seeds = 0;
      for (const index of drawn[stratum]!) {
        const margin = row[index] ?? null;
        if (margin === null) continue;
        sum += margin;
        seeds += 1;
      }
      if (seeds === 0) continue;
      pairs += 1;
      wins += won(sum / seeds);
    }
  });
  return { wins, pairs };
}

function won(margin: number): number {
  if (Math.abs(margin) <= TIE) return 0.5;
  return margin > 0 ? 1 : 0;
}

function seedBySeed(margins: readonly Margins[]): WinningRate["perSeed"] {
  const counts = new Map<number, { wins: number; pairs: number }>();
  for (const { seeds, rows } of margins) {
    seeds.forEach((seed, column) => {
      const count = counts.get(seed) ?? { wins: 0, pairs: 0 };
      for (const margin of rows.map((row) => row[column] ?? null)) {
        if (margin === null) continue;
        count.wins += won(margin);
        count.pairs += 1;
      }
      counts.set(seed, count);
    });
  }
  return [...counts].sort(([a], [b]) => a - b).map(([seed, count]) => ({ seed, ...count }));
}

function bootstrapRate(margins: readonly Margins[], options: BootstrapOptions): Interval | null {
  const rate = (drawn: readonly (readonly number[])[]): number | null => {
    const { wins, pairs } = tally(margins, drawn);
    return share(wins, pairs);
  };
  return bootstrapInterval(
    margins.map(({ seeds }) => seeds.length),
    rate,
    options,
  );
}

function share(wins: number, pairs: number): number | null {
  return pairs === 0 ? null : wins / pairs;
}
