import type { Sweep } from "../../sweep/swept-run.js";
import { armsOf, baselineOf, describeRuns, type Arm } from "./arms.js";
import { betterOfScore, decidingScore, scoreBeside, scoreHeading, scoreNames, unitOfScore } from "./compared-score.js";
import { kCell } from "./k-cells.js";
import { areFew, kMarks } from "./marks.js";
import { sweepNotes } from "./notes.js";
import { differenceCell, improvementCell, interquartileCell, scoreCell } from "./score-cells.js";
import { cell, column, type Cell, type Column, type Table } from "./table.js";

/** A column and how its cell of an arm is made; `other` is the arm's baseline. */
interface MadeColumn {
  readonly column: Column;
  readonly cellOf: (arm: Arm, other: Arm | null) => Cell;
}

/** Conditions by what decides: the score, its gain over the baseline, and what it costs in distribution. Null without a score. */
export function scoresTable(sweep: Sweep): Table | null {
  const arms = armsOf(sweep);
  const deciding = decidingScore(sweep, arms);
  if (deciding === null) return null;
  const columns = [
    ...runColumns(arms),
    ...scoreColumns(sweep, arms, deciding),
    ...spreadColumns(sweep, arms, deciding),
  ];
  return {
    name: "scores",
    caption: `${sweep.name}: ${scoreHeading(deciding)} by condition, mean and standard deviation over seeds`,
    stub: "condition",
    columns: columns.map((made) => made.column),
    rows: arms.map((arm) => ({
      label: arm.label,
      marks: [],
      cells: columns.map(({ cellOf }) => cellOf(arm, baselineOf(arm, arms))),
    })),
    notes: [...gainNotes(sweep), ...sweepNotes(sweep)],
    sources: [sweep.name],
  };
}

function runColumns(arms: readonly Arm[]): MadeColumn[] {
  const runs: MadeColumn = {
    column: column("runs", "runs", { unit: "count", shown: "text" }),
    cellOf: (arm) => cell({ value: arm.completed.length, text: describeRuns(arm), marks: kMarks(arm.completed) }),
  };
  const hasK = arms.some(({ completed }) => completed.some(({ results: { k } }) => k !== null));
  const k: MadeColumn = { column: column("k", "k by seed", { unit: "updates", shown: "points" }), cellOf: kCell };
  return hasK ? [runs, k] : [runs];
}

function scoreColumns(sweep: Sweep, arms: readonly Arm[], deciding: string): MadeColumn[] {
  const beside = scoreBeside(deciding, arms);
  const ofScore = (score: string, change: string, changed: string): MadeColumn[] => {
    const unit = unitOfScore(score);
    const mean = column(score, scoreHeading(score), { unit, better: betterOfScore(score) });
    const difference = column(change, changed, { unit, shown: "difference" });
    return [
      { column: mean, cellOf: (arm) => scoreCell(arm, score) },
      ...(sweep.baseline === null
        ? []
        : [
            {
              column: difference,
              cellOf: (arm: Arm, other: Arm | null) => compared(arm, other, differenceCell, score),
            },
          ]),
    ];
  };
  return [
    ...(beside === null ? [] : ofScore(beside, "change", "ID change")),
    ...ofScore(deciding, "gain", `gain over ${sweep.baseline ?? ""}`),
  ];
}

/** The points below six seeds, the interquartile mean from six on. */
function spreadColumns(sweep: Sweep, arms: readonly Arm[], deciding: string): MadeColumn[] {
  const counts = arms.map((arm) => scoreCell(arm, deciding).n ?? 0);
  const unit = unitOfScore(deciding);
  const points: MadeColumn = {
    column: column("points", "by seed", { unit, shown: "points" }),
    cellOf: (arm) => {
      const { value, n, points, marks } = scoreCell(arm, deciding);
      return areFew(points.length) ? cell({ value, n, points, marks }) : cell();
    },
  };
  const iqm: MadeColumn = {
    column: column("iqm", "IQM", { unit }),
    cellOf: (arm) => interquartileCell(arm, deciding),
  };
  const improvement: MadeColumn = {
    column: column("improvement", "P(improvement)"),
    cellOf: (arm, other) => compared(arm, other, improvementCell, deciding),
  };
  return [
    ...(counts.some((n) => n > 0 && areFew(n)) ? [points] : []),
    ...(counts.some((n) => !areFew(n)) ? [iqm] : []),
    ...(sweep.baseline === null ? [] : [improvement]),
  ];
}

function compared(
  arm: Arm,
  other: Arm | null,
  cellOf: (arm: Arm, other: Arm, score: string) => Cell,
  score: string,
): Cell {
  return other === null ? cell() : cellOf(arm, other, score);
}

function gainNotes({ baseline }: Sweep): string[] {
  const best = "The best and the second best are those of the means, whatever their spread.";
  if (baseline === null) return [best];
  return [
    best,
    `Gains and changes are differences to ${baseline} at the same seeds, with Student's t interval of 95 %.`,
    `P(improvement): how often a run drawn at random is better than one of ${baseline}.`,
  ];
}

/** Every score by itself: corruptions, languages, what a script recorded. Null without a score. */
export function everyScoreTable(sweep: Sweep): Table | null {
  const arms = armsOf(sweep).filter(({ completed }) => completed.length > 0);
  const names = scoreNames(arms);
  if (names.length === 0) return null;
  return {
    name: "every-score",
    caption: `${sweep.name}: every score by condition, mean and standard deviation over seeds`,
    stub: "condition",
    columns: names.map((name) =>
      column(name, scoreHeading(name), { unit: unitOfScore(name), better: betterOfScore(name) }),
    ),
    rows: arms.map((arm) => ({ label: arm.label, marks: [], cells: names.map((name) => scoreCell(arm, name)) })),
    notes: sweepNotes(sweep),
    sources: [sweep.name],
  };
}
