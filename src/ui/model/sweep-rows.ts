import type { WatchedRun, WatchedSweep } from "../../sweep/watched-sweep.js";
import { describeAxes, nameOfRun } from "../../words/sweep.js";

/** A condition at a point of its axes: its runs differ by their seeds alone. */
export interface MatrixRow {
  readonly name: string;
  /** By the matrix's seeds; null where it has no run with that seed. */
  readonly runs: readonly (WatchedRun | null)[];
}

export interface Matrix {
  readonly seeds: readonly number[];
  readonly rows: readonly MatrixRow[];
}

/** The runs of a sweep by what differs among them, in the order of its plan. */
export function matrixOf({ runs }: WatchedSweep): Matrix {
  const seeds = [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  const rows = new Map<string, Map<number, WatchedRun>>();
  for (const run of runs) {
    const name = [run.condition, describeAxes(run.axes)].filter(Boolean).join(" ");
    const row = rows.get(name) ?? new Map<number, WatchedRun>();
    rows.set(name, row.set(run.seed, run));
  }
  return {
    seeds,
    rows: [...rows].map(([name, bySeed]) => ({ name, runs: seeds.map((seed) => bySeed.get(seed) ?? null) })),
  };
}

export const SORTS = ["plan", "state", "score", "k", "time"] as const;
export type Sort = (typeof SORTS)[number];

/** What needs a look comes first. */
const BY_STATE = ["failed", "running", "interrupted", "pending", "finished", "taken"] as const;

/** The runs that `filter` leaves, sorted: each of its words stands in the run's name, state or k. Without a value: last. */
export function listOf({ runs, score }: WatchedSweep, filter: string, sort: Sort): readonly WatchedRun[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = runs.filter((run) => {
    const text = `${nameOfRun(run)} ${run.standing} ${run.k === null ? "" : `k=${run.k.value} ${run.k.source}`}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
  const by = (value: (run: WatchedRun) => number | null, sign: 1 | -1): readonly WatchedRun[] =>
    found.toSorted((a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      return sign * (one - other);
    });
  switch (sort) {
    case "plan":
      return found;
    case "state":
      return by(({ standing }) => BY_STATE.indexOf(standing), 1);
    case "score":
      return by((run) => scoreOf(run, score), -1);
    case "k":
      return by(({ k }) => k?.value ?? null, 1);
    case "time":
      return by(({ seconds, secondsLeft }) => seconds ?? secondsLeft, -1);
  }
}

/** The score that decides; null until the run has it. */
export function scoreOf({ scores }: WatchedRun, score: string | null): number | null {
  return (score === null ? null : scores?.[score]) ?? null;
}

/** How many of `length` rows are passed over so that the one at `cursor` is among `shown`. */
export function scrolledBy(cursor: number, shown: number, length: number): number {
  if (length <= shown) return 0;
  return Math.min(Math.max(0, cursor - (shown >> 1)), length - shown);
}
