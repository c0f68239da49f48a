import type { SweptRun } from "../sweep/swept-run.js";
import type { RunFacts } from "./facts/run-facts.js";
import type { Figure } from "./figures/figure.js";
import { runFigures } from "./figures/run-figures.js";
import { looseRuns, uniqueNames } from "./sweeps/loose-runs.js";
import { kendallTable } from "./paper/final-signals.js";
import { paperArms } from "./paper/paper-arms.js";
import { atFixedK, paperFigures, type PaperFigure } from "./paper/paper-figures.js";
import { sweepFigures } from "./sweeps/sweep-figures.js";
import type { SweepFacts } from "./sweeps/sweep-facts.js";
import { whatIfFigures } from "./sweeps/what-if-figures.js";
import { armsOf } from "./tables/arms.js";
import type { Table } from "./tables/table.js";
import { tablesOf, tablesOver } from "./tables/tables-of.js";
import { askRules, unasked, type WhatIfRules } from "./tables/what-if.js";
import { whatIfTable } from "./tables/what-if-table.js";

/** What is reported on. */
export type Subject =
  | { readonly kind: "run"; readonly run: RunFacts }
  | { readonly kind: "sweep"; readonly facts: SweepFacts }
  | { readonly kind: "sweeps"; readonly sweeps: readonly SweepFacts[] };

/** Everything that a report has of its subject, as data: each figure and table once. */
export interface Contents {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  /** By number; empty for what is none of the paper's experiments. */
  readonly paper: readonly PaperFigure[];
  /** What other rules would have found; empty where nobody asked. */
  readonly whatIf: { readonly figures: readonly Figure[]; readonly tables: readonly Table[] };
}

/** Of several sweeps: what is said over all of them, and each by itself under a name of its own. */
export interface ContentsOver {
  readonly tables: readonly Table[];
  readonly parts: readonly { readonly name: string; readonly facts: SweepFacts; readonly contents: Contents }[];
}

export function contentsOver(sweeps: readonly SweepFacts[], rules: WhatIfRules | null): ContentsOver {
  const configs = new Map(sweeps.flatMap((facts) => [...facts.configs]));
  const names = uniqueNames(
    sweeps.map(({ sweep }) => sweep.name),
    (name, count) => `${name}-${count}`,
  );
  return {
    tables: tablesOver(
      sweeps.map(({ sweep }) => sweep),
      { configOf: ({ id }) => configs.get(id) ?? null },
    ),
    parts: sweeps.map((facts, index) => {
      const name = names[index]!;
      return { name, facts, contents: calledAfter(name, contentsOf({ kind: "sweep", facts }, rules)) };
    }),
  };
}

/** Every figure and table under a name that begins with that of its sweep. */
function calledAfter(sweep: string, { figures, tables, paper, whatIf }: Contents): Contents {
  const figuresOf = (all: readonly Figure[]): Figure[] => all.map((one) => ({ ...one, id: `${sweep}-${one.id}` }));
  const tablesIn = (all: readonly Table[]): Table[] => all.map((one) => ({ ...one, name: `${sweep}-${one.name}` }));
  return {
    figures: figuresOf(figures),
    tables: tablesIn(tables),
    paper: paper.map((one) => ({ ...one, figures: figuresOf(one.figures) })),
    whatIf: { figures: figuresOf(whatIf.figures), tables: tablesIn(whatIf.tables) },
  };
}

export function contentsOf(subject: Exclude<Subject, { kind: "sweeps" }>, rules: WhatIfRules | null): Contents {
  const whatIf = rules === null ? { figures: [], tables: [] } : askedOf(subject, rules);
  if (subject.kind === "run") return { figures: runFigures(subject.run), tables: [], paper: [], whatIf };
  const { facts } = subject;
  const paper = paperFigures(facts);
  const drawn = new Set(paper.flatMap(({ figures }) => figures.map(contentOf)));
  const figures = sweepFigures(facts).filter((figure) => !drawn.has(contentOf(figure)));
  const kendall = kendallTable(facts, atFixedK(paperArms(facts, armsOf(facts.sweep))));
  const tables = tablesOf(facts.sweep, { configOf: ({ id }) => facts.configs.get(id) ?? null });
  return { figures, tables: kendall === null ? tables : [...tables, kendall], paper, whatIf };
}

/** The same for figures that show the same, whatever they are called. */
function contentOf(figure: Figure): string {
  if (figure.kind !== "lines") return figure.id;
  const lines = figure.series.map(({ name, points }) => [name, points.length]);
  return JSON.stringify([figure.x.column, figure.y.column, lines]);
}

function askedOf(subject: Parameters<typeof contentsOf>[0], rules: WhatIfRules): Contents["whatIf"] {
  const { sweep, runs } = subject.kind === "run" ? looseRuns([subject.run], [], subject.run.folder) : subject.facts;
  // What another run trained is asked of that one.
  const stateOf = ({ id, takenFrom }: SweptRun) => (takenFrom === null ? (runs.get(id)?.state ?? null) : null);
  const asked = askRules(sweep, stateOf, rules);
  const table = whatIfTable(sweep, asked, unasked(sweep, stateOf, rules));
  return { figures: whatIfFigures(asked), tables: table === null ? [] : [table] };
}
