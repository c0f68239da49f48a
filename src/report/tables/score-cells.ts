import { interquartileMean } from "../../statistics/interquartile-mean.js";
import { probabilityOfImprovement } from "../../statistics/improvement.js";
import { studentInterval } from "../../statistics/intervals.js";
import { momentsOf } from "../../statistics/moments.js";
import { pairedDifferences, type BySeed } from "../../statistics/paired.js";
import { bySeed, type Arm } from "./arms.js";
import { joinMarks, mark, scaleMarks, scoreMarks, type Mark } from "./marks.js";
import { haveOtherTests, machineDifferences } from "./provenance.js";
import { cell, type Cell, type Point } from "./table.js";

/** Mean, standard deviation, Student's t interval and points of a score over the seeds of an arm. */
export function scoreCell(arm: Arm, score: string): Cell {
  const values = bySeed(arm, score);
  if (values.size === 0) return cell({ n: 0, marks: incomplete(arm, 0) });
  const numbers = [...values.values()];
  const { n, mean, standardDeviation } = momentsOf(numbers);
  return cell({
    value: mean,
    standardDeviation,
    n,
    interval: studentInterval(numbers),
    points: pointsOf(values),
    marks: marksOf(arm, score, n),
  });
}

/** What an arm has over another at the same seeds: mean of the differences, their deviation and Student's t interval. */
export function differenceCell(arm: Arm, other: Arm, score: string): Cell {
  const { n, mean, standardDeviation, interval, differences } = pairedDifferences(
    bySeed(arm, score),
    bySeed(other, score),
  );
  if (mean === null) return cell({ n: 0 });
  const points = differences.map(({ seed, difference }) => ({ seed, value: difference }));
  const seeds = new Set(points.map(({ seed }) => seed));
  const compared = [arm, other].flatMap(({ completed }) => completed.filter(({ run }) => seeds.has(run.seed)));
  const marks = joinMarks(
    marksOf(arm, score, n),
    scoreMarks(compared, score),
    Object.keys(machineDifferences(compared)).length > 0 ? [mark("other_machine")] : [],
    haveOtherTests(compared) ? [mark("other_tests")] : [],
  );
  return cell({ value: mean, standardDeviation, n, interval, points, marks });
}

/** The interquartile mean; nothing below six seeds. */
export function interquartileCell(arm: Arm, score: string): Cell {
  const values = bySeed(arm, score);
  const value = interquartileMean([...values.values()]);
  return value === null ? cell() : cell({ value, n: values.size, marks: marksOf(arm, score, values.size) });
}

/** How often a run of the one, drawn at random, is better than one of the other. */
export function improvementCell(arm: Arm, other: Arm, score: string): Cell {
  const [ours, theirs] = [arm, other].map((one) => [...bySeed(one, score).values()]);
  const value = probabilityOfImprovement([{ ours: ours!, theirs: theirs! }]);
  return value === null ? cell() : cell({ value, n: ours!.length, marks: marksOf(arm, score, ours!.length) });
}

function pointsOf(values: BySeed): Point[] {
  return [...values].sort(([a], [b]) => a - b).map(([seed, value]) => ({ seed, value }));
}

function marksOf(arm: Arm, score: string, n: number): Mark[] {
  const having = arm.completed.filter(({ scores }) => scores[score] !== undefined);
  const tests = score.startsWith("in_dist/") || !haveOtherTests(having) ? [] : [mark("other_tests")];
  return joinMarks(scaleMarks(arm.sweep.scale), scoreMarks(having, score), incomplete(arm, n), tests);
}

function incomplete(arm: Arm, n: number): Mark[] {
  return n < arm.planned.length ? [mark("incomplete")] : [];
}
