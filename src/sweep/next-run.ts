import { intervalOf, mayTrainAs } from "./equal-training.js";
import type { PlannedRun } from "./plan.js";

/** One task of several that work at a plan: `index` of `count`, from 1. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

/** What a sweeper may take up now, the first first. */
export interface Waiting {
  readonly run: PlannedRun;
  /** Position in the plan. */
  readonly position: number;
}

/**
 * The order in which runs are taken up: by seed, so that a first comparison of all conditions is there early, and within
 * a seed those that look for k first, since a run with that k fixed trains the same and need not be trained again. What
 * may still turn out so waits for as long as there is other work. A task takes its own share first, then what is left.
 *
 * @param unfinished all runs that have not finished, those that somebody works at among them, in the order of the plan
 */
export function inOrder(
  waiting: readonly Waiting[],
  unfinished: readonly PlannedRun[],
  share: Share | null = null,
): readonly Waiting[] {
  const seeds = [...new Set([...unfinished, ...waiting.map(({ run }) => run)].map(({ seed }) => seed))];
  const rankOf = ({ run, position }: Waiting): number[] => {
    const looksForK = intervalOf(run.portable) === undefined;
    const waits = unfinished.some((online) => online.seed === run.seed && mayTrainAs(run, online));
    const isOther = share !== null && position % share.count !== share.index - 1;
    return [Number(waits), Number(isOther), seeds.indexOf(run.seed), Number(!looksForK), position];
  };
  return waiting
    .map((entry) => ({ entry, rank: rankOf(entry) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ entry }) => entry);
}

function compare(left: readonly number[], right: readonly number[]): number {
  const index = left.findIndex((value, position) => value !== right[position]);
  return index < 0 ? 0 : left[index]! - right[index]!;
}
