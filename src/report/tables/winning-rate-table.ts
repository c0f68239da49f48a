import { momentsOf } from "../../statistics/moments.js";
import { studentInterval } from "../../statistics/intervals.js";
import { winningRate, type Contest } from "../../statistics/winning-rate.js";
import type { Sweep } from "../../sweep/swept-run.js";
import { contestOf, matchesOf, type ConfigOf, type Match } from "./contests.js";
import { areFew, joinMarks, kMarks, mark, scaleMarks, scoreMarks, type Mark } from "./marks.js";
import { titleOf } from "./notes.js";
import { cell, column, type Cell, type Point, type Row, type Table } from "./table.js";

const NOTES = [
  "Winning rate: the share of pairs of a data set and a tried k in which the mean over seeds with the chosen k is higher, ties half; Wilson's interval of 95 %.",
  "The interval takes pairs for independent. Those of one data set share the runs with the chosen k, so it is too narrow; the bootstrap draws seeds, which all pairs share.",
  "By seed: the same share within each seed. Runs ended by the cap, and those that an operator touched, are left out of both.",
];

/**
 * How often the k that was found is better than one that was drawn, for every condition that found one. Null where no
 * condition has tried k's (an axis `intervention.k`), or none found one.
 */
export function winningRateTable(sweeps: readonly Sweep[], configOf: ConfigOf = () => null): Table | null {
  const matches = matchesOf(sweeps, configOf);
  if (matches.length === 0) return null;
  const opponents = new Set(matches.map(({ against }) => against));
  const names = sweeps.map(({ name }) => name);
  const pooled = [...new Set(matches.flatMap(({ rounds }) => rounds.map((round) => contestOf(round).dataSet)))];
  return {
    name: "winning-rate",
    caption: `${sweeps.map(titleOf).join(", ")}: winning rate of the k that was found`,
    stub: "condition",
    columns: [
      column("winning_rate", "winning rate", { shown: "interval" }),
      column("pairs", "wins of pairs", { unit: "count", shown: "text" }),
      column("rate_by_seed", "rate, by seed", { shown: "points" }),
      column("bootstrap", "bootstrap over seeds", { shown: "interval" }),
      column("gain", "gain over the mean of the tried k's", { shown: "difference" }),
    ],
    rows: matches.map((match) => rowOf(match, opponents.size > 1)),
    notes: [...NOTES, ...(pooled.length > 1 ? [`Pooled over ${pooled.join(", ")}.`] : []), ...triedNotes(matches)],
    sources: names,
  };
}

function rowOf(match: Match, namesOpponent: boolean): Row {
  const contests = match.rounds.map(contestOf);
  const result = winningRate(contests);
  const marks = marksOf(match);
  const n = Math.min(...contests.map(({ chosen }) => chosen.size));
  const lost = result.incomparable === 0 ? "" : `, ${result.incomparable} without a seed in common`;
  const wins = `${result.wins} of ${result.pairs}${lost}`;
  const points = result.perSeed.map((one) => ({ seed: one.seed, value: one.wins / one.pairs }));
  return {
    label: namesOpponent ? `${match.condition} against ${match.against}` : match.condition,
    marks: [],
    cells: [
      cell({ value: result.rate, n, interval: result.interval, marks }),
      cell({ value: result.wins, n: result.pairs, text: wins }),
      cell({ value: result.perSeedRate, n: points.length, points, marks }),
      result.bootstrap === null
        ? cell({ text: areFew(n) ? "below 6 seeds" : null })
        : cell({ value: result.rate, n, interval: result.bootstrap, marks }),
      gainCell(contests, marks),
    ],
  };
}

/** The chosen k's score less the mean over the tried ones, seed by seed; over several data sets a mean without an interval. */
function gainCell(contests: readonly Contest[], marks: readonly Mark[]): Cell {
  const gains = contests.map(gainsOf);
  const values = gains.flat().map(({ value }) => value);
  const { n, mean, standardDeviation } = momentsOf(values);
  if (mean === null) return cell();
  if (gains.length > 1) return cell({ value: mean, n, marks });
  return cell({ value: mean, standardDeviation, n, interval: studentInterval(values), points: gains[0] ?? [], marks });
}

function gainsOf({ chosen, drawn }: Contest): Point[] {
  return [...chosen].flatMap(([seed, score]) => {
    const others = drawn.flatMap(({ scores }) => scores.get(seed) ?? []);
    const { mean } = momentsOf(others);
    // Over other k's the mean would be another number.
    return mean === null || others.length < drawn.length ? [] : [{ seed, value: score - mean }];
  });
}

function marksOf({ rounds }: Match): Mark[] {
  return joinMarks(
    ...rounds.map(({ score, chosen, drawn }) => {
      const runs = [chosen, ...drawn].flatMap(({ completed }) => completed);
      const complete = [chosen, ...drawn].every(({ planned, completed }) => planned.length === completed.length);
      return joinMarks(
        scaleMarks(chosen.sweep.scale),
        scoreMarks(runs, score),
        kMarks(chosen.completed),
        complete ? [] : [mark("incomplete")],
      );
    }),
  );
}

function triedNotes(matches: readonly Match[]): string[] {
  const notes = matches.flatMap(({ against, rounds }) =>
    rounds.map((round) => {
      const { dataSet, drawn } = contestOf(round);
      return `${against} of ${dataSet} tried k = ${drawn.map(({ k }) => k).join(", ")}.`;
    }),
  );
  return [...new Set(notes)];
}
