import { Series } from "../series.js";

/**
 * The prefix of a signal that the online rule has read, with what it needs to judge it. A boundary adds one point to it
 * and judges it again, and must not look at all points for that: so changes stand in blocks, each with its largest one,
 * and only those blocks are looked into that may hold what is asked for.
 */
export interface Prefix {
  /** tau: change c is that from point c to point c + window. */
  readonly window: number;
  readonly values: Series<number>;
  /** Least and largest value; 0 before the first. */
  readonly low: number;
  readonly high: number;
  /** The largest magnitude of a change in each full block, in the signal's own unit. */
  readonly blocks: Series<number>;
  /** The same of the block that is not full yet. */
  readonly open: number;
  /** The largest change by magnitude, and the first place where it stands; null before there is one. */
  readonly steepest: Steepest | null;
  /** Of the latest `CALM_CHANGES` points, newest last. */
  readonly spanErrors: readonly (number | null)[];
}

interface Steepest {
  readonly index: number;
  readonly size: number;
}

/** The rule fires after this many calm changes in a row: one alone is often an inflection. */
export const CALM_CHANGES = 3;

/** Changes in a block: about the root of how many there are in a long run, so that blocks and their changes are few. */
export const BLOCK_SIZE = 256;

/**
 * More than rounding can add to a difference of two normalised values: each is within 2 units in the last place of 1 of
 * the exact one. Which blocks may hold the largest change is told with this much to spare, and what they hold is then
 * computed as the rule says.
 */
const ROUNDING = 32 * Number.EPSILON;

export function emptyPrefix(window: number): Prefix {
  return {
    window,
    values: Series.of<number>([]),
    low: 0,
    high: 0,
    blocks: Series.of<number>([]),
    open: 0,
    steepest: null,
    spanErrors: [],
  };
}

interface Point {
  readonly value: number;
  readonly spanError: number | null;
}

/** The prefix with one point more. */
export function read(prefix: Prefix, { value, spanError }: Point): Prefix {
  const { window } = prefix;
  const first = prefix.values.length === 0;
  const values = prefix.values.append(value);
  const low = first ? value : Math.min(prefix.low, value);
  const high = first ? value : Math.max(prefix.high, value);
  const spanErrors = [...prefix.spanErrors, spanError].slice(-CALM_CHANGES);
  const change = values.length - 1 - window;
  if (change < 0) return { window, values, low, high, blocks: prefix.blocks, open: 0, steepest: null, spanErrors };
  const largest = Math.max(prefix.open, Math.abs(value - values.at(change)!));
  const full = (change + 1) % BLOCK_SIZE === 0;
  const blocks = full ? prefix.blocks.append(largest) : prefix.blocks;
  const longer = { window, values, low, high, blocks, open: full ? 0 : largest, steepest: prefix.steepest, spanErrors };
  // Another range is another unit for all changes before, and what was rounded up may now be rounded down.
  const isRescaled = low !== prefix.low || high !== prefix.high;
  return { ...longer, steepest: isRescaled ? findSteepest(longer) : steeper(longer, prefix.steepest, change) };
}

export function numChanges({ values, window }: Prefix): number {
  return Math.max(0, values.length - window);
}

/** Change c of the moving average of the min-max-normalised values; 0 where the signal never changed. */
export function smoothedChange({ values, low, high, window }: Prefix, change: number): number {
  const range = high - low;
  if (range === 0) return 0;
  const before = (values.at(change)! - low) / range;
  return ((values.at(change + window)! - low) / range - before) / window;
}

function steeper(prefix: Prefix, steepest: Steepest | null, index: number): Steepest {
  const size = Math.abs(smoothedChange(prefix, index));
  return steepest === null || size > steepest.size ? { index, size } : steepest;
}

function findSteepest(prefix: Prefix): Steepest | null {
  let steepest: Steepest | null = null;
  for (const block of steepBlocks(prefix)) {
    const end = endOf(prefix, block);
    for (let index = block * BLOCK_SIZE; index < end; index += 1) steepest = steeper(prefix, steepest, index);
  }
  return steepest;
}

/** The blocks that may hold the steepest change, in order; all of them where the range is too large for a number. */
export function steepBlocks(prefix: Prefix): number[] {
  const count = numBlocks(prefix);
  let largest = 0;
  for (let block = 0; block < count; block += 1) largest = Math.max(largest, boundOf(prefix, block));
  const steep: number[] = [];
  for (let block = 0; block < count; block += 1) {
    if (!(boundOf(prefix, block) + 2 * ROUNDING < largest)) steep.push(block);
  }
  return steep;
}

/** How many of the latest changes in a row, and after change `steepest`, are within the tolerance. */
export function countCalm(prefix: Prefix, steepest: number, tolerance: number): number {
  const last = numChanges(prefix) - 1;
  if (prefix.high === prefix.low) return last - steepest;
  const calm = (block: number): boolean => (boundOf(prefix, block) + 2 * ROUNDING) / prefix.window <= tolerance;
  for (let block = numBlocks(prefix) - 1; block >= 0; block -= 1) {
    const start = block * BLOCK_SIZE;
    if (start > steepest && calm(block)) continue;
    for (let change = endOf(prefix, block) - 1; change >= start; change -= 1) {
      if (change <= steepest || Math.abs(smoothedChange(prefix, change)) > tolerance) return last - change;
    }
  }
  return last - steepest;
}

function numBlocks(prefix: Prefix): number {
  return Math.ceil(numChanges(prefix) / BLOCK_SIZE);
}

function endOf(prefix: Prefix, block: number): number {
  return Math.min(numChanges(prefix), (block + 1) * BLOCK_SIZE);
}

/** What the differences of normalised values in a block are at most, but for rounding. */
function boundOf({ blocks, open, low, high }: Prefix, block: number): number {
  return (blocks.at(block) ?? open) / (high - low);
}
