import { departures, experimentOf, isOfMethod, paperSeeds } from "../paper/methods.js";
import { PAPER_TABLES, type Experiment, type PaperColumn, type PaperMethod, type PaperTable } from "../paper/values.js";
import { winningRate } from "../../statistics/winning-rate.js";
import type { Sweep } from "../../sweep/swept-run.js";
import { armsOf, type Arm } from "./arms.js";
import { contestOf, matchesOf, type ConfigOf, type Round } from "./contests.js";
import { kCell } from "./k-cells.js";
import { joinMarks, kMarks, scaleMarks, scoreMarks } from "./marks.js";
import { sweepNotes } from "./notes.js";
import { scoreCell } from "./score-cells.js";
import { cell, column, type Cell, type Column, type Table } from "./table.js";

/** An arm, and the experiment of the paper's that it is a counterpart of. */
interface Counterpart {
  readonly arm: Arm;
  readonly experiment: Experiment;
}

/** The paper's tables for which these sweeps have something to compare, theirs and the paper's values side by side. */
export function paperTables(sweeps: readonly Sweep[], configOf: ConfigOf): Table[] {
  return PAPER_TABLES.flatMap((table) => {
    const made = paperTable(table, sweeps, configOf);
    const ours = made.rows.filter(({ cells }) =>
      cells.some(({ value }, index) => value !== null && made.columns[index]!.origin === "measured"),
    );
    // A score alone compares nothing; a k does.
    return ours.length >= (table.number === 6 ? 1 : 2) ? [made] : [];
  });
}

/** One of the paper's tables: of each experiment that was run here, ours and beside it the paper's. */
export function paperTable(table: PaperTable, sweeps: readonly Sweep[], configOf: ConfigOf): Table {
  const counterparts = counterpartsOf(sweeps, configOf);
  const rounds = matchesOf(sweeps, configOf).flatMap((match) => match.rounds);
  const here = new Set(counterparts.map(({ experiment }) => experiment));
  const used = new Set<Counterpart>();
  const kept = table.columns.map((one, index) => ({ one, index })).filter(({ one }) => isHere(one, here));
  const rows = table.rows.map(({ method, values }) => ({
    label: method.label,
    marks: [],
    cells: kept.flatMap(({ one, index }) => [
      ourCell(one, method, { counterparts, rounds, configOf, used }),
      paperCell(one, values[index] ?? null),
    ]),
  }));
  return {
    name: `paper-table-${table.number}`,
    caption: `Table ${table.number} of the paper and its counterpart here. ${table.caption}`,
    stub: "method",
    columns: kept.flatMap(({ one }) => bothColumns(one)),
    rows,
    notes: [
      "Columns headed paper hold the paper's own values, as printed there; no run of ours is in them.",
      ...missingNotes(table, here),
      ...usedNotes([...used], configOf),
      ...sweeps.filter((sweep) => [...used].some(({ arm }) => arm.sweep === sweep)).flatMap(sweepNotes),
    ],
    sources: sweeps.map(({ name }) => name),
  };
}

function experimentsOf({ experiment, shows }: PaperColumn): readonly Experiment[] {
  if ("winningRateOf" in shows) return shows.winningRateOf;
  return experiment === null ? [] : [experiment];
}

function isHere(one: PaperColumn, here: ReadonlySet<Experiment>): boolean {
  return experimentsOf(one).some((experiment) => here.has(experiment));
}

/** What of the paper's table was not run, and which winning rates pool less than the paper's. */
function missingNotes({ columns }: PaperTable, here: ReadonlySet<Experiment>): string[] {
  const missing = [...new Set(columns.flatMap(experimentsOf))].filter((experiment) => !here.has(experiment));
  const partial = columns.filter((one) => "winningRateOf" in one.shows && isHere(one, here));
  return [
    ...(missing.length === 0 ? [] : [`Not run here, and left out: ${missing.join(", ")}.`]),
    ...partial.flatMap((one) => {
      const pooled = experimentsOf(one).filter((experiment) => here.has(experiment));
      const isWhole = pooled.length === experimentsOf(one).length;
      return isWhole ? [] : [`${one.heading} here is over ${pooled.join(", ")} only, the paper's over more.`];
    }),
  ];
}

function bothColumns({ heading, shows, experiment }: PaperColumn): [Column, Column] {
  const key = `${experiment ?? heading}: ${"score" in shows ? shows.score : "k" in shows ? "k" : "winning rate"}`;
  const unit = "k" in shows ? "updates" : "share";
  const better = "score" in shows ? "higher" : null;
  const shown = "k" in shows ? "points" : "mean";
  return [
    column(key, heading, { unit, better, shown }),
    column(`${key}, paper`, `${heading}, paper`, { unit, origin: "paper" }),
  ];
}

function paperCell({ shows, experiment }: PaperColumn, value: number | null): Cell {
  if (value === null) return cell();
  const n = experiment === null ? null : paperSeeds(experiment);
  // Two decimals of a percentage are four of a share.
  return cell({ value: "k" in shows ? value : Number((value / 100).toFixed(6)), n });
}

interface Ours {
  readonly counterparts: readonly Counterpart[];
  readonly rounds: readonly Round[];
  readonly configOf: ConfigOf;
  readonly used: Set<Counterpart>;
}

function ourCell({ shows, experiment }: PaperColumn, method: PaperMethod, ours: Ours): Cell {
  if ("winningRateOf" in shows) return winningRateCell(shows.winningRateOf, method, ours);
  const fitting = ours.counterparts.filter(
    (one) => one.experiment === experiment && fits(one.arm, one.experiment, method, ours.configOf),
  );
  const [first, ...more] = fitting;
  if (first === undefined) return cell();
  // Which of several is meant nobody has said.
  if (more.length > 0) return cell({ text: `${fitting.length} conditions` });
  ours.used.add(first);
  if ("score" in shows) return scoreCell(first.arm, shows.score);
  const found = kCell(first.arm);
  return { ...found, marks: joinMarks(scaleMarks(first.arm.sweep.scale), found.marks) };
}

function winningRateCell(experiments: readonly Experiment[], method: PaperMethod, ours: Ours): Cell {
  if (method.decidedBy === "any") return cell();
  const rounds = ours.rounds.filter(({ chosen }) => {
    const of = ours.counterparts.find(({ arm }) => isSameArm(arm, chosen));
    return (
      of !== undefined && experiments.includes(of.experiment) && fits(chosen, of.experiment, method, ours.configOf)
    );
  });
  const { rate, interval, pairs } = winningRate(rounds.map(contestOf));
  if (rate === null) return cell();
  const marks = rounds.flatMap(({ chosen, score }) => [
    ...scaleMarks(chosen.sweep.scale),
    ...scoreMarks(chosen.completed, score),
    ...kMarks(chosen.completed),
  ]);
  return cell({ value: rate, n: pairs, interval, marks: joinMarks(marks) });
}

function isSameArm(one: Arm, other: Arm): boolean {
  return one.sweep === other.sweep && one.label === other.label;
}

function counterpartsOf(sweeps: readonly Sweep[], configOf: ConfigOf): Counterpart[] {
  return sweeps.flatMap(armsOf).flatMap((arm) => {
    if (arm.completed.length === 0) return [];
    const config = configOf(arm.completed[0]!.run);
    const experiment = config === null ? null : experimentOf(config);
    return experiment === null ? [] : [{ arm, experiment }];
  });
}

function fits(arm: Arm, experiment: Experiment, method: PaperMethod, configOf: ConfigOf): boolean {
  const config = configOf(arm.completed[0]!.run);
  return config !== null && isOfMethod(config, experiment, method);
}

/** What every counterpart was, and in what it differs from the paper's settings. */
function usedNotes(used: readonly Counterpart[], configOf: ConfigOf): string[] {
  const experiments = [...new Set(used.map(({ experiment }) => experiment))];
  return experiments.map((experiment) => {
    const ours = used.filter((one) => one.experiment === experiment);
    const configs = ours.flatMap(({ arm }) => configOf(arm.completed[0]!.run) ?? []);
    const differing = [...new Set(configs.flatMap((config) => departures(config, experiment)))];
    const seeds = [...new Set(ours.map(({ arm }) => arm.completed.length))].sort((a, b) => a - b);
    const counted = `${seeds.join(" or ")} ${seeds.join() === "1" ? "seed" : "seeds"} (${paperSeeds(experiment)})`;
    const names = ours.map(({ arm }) => arm.label).join(", ");
    return `${experiment} here, the paper's in parentheses: ${[...differing, counted].join(", ")}; of conditions ${names}.`;
  });
}
