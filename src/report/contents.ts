import type { SweptRun } from "../sweep/swept-run.js";
import type { RunFacts } from "./facts/run-facts.js";
import type { Figure } from "./figures/figure.js";
import { runFigures } from "./figures/run-figures.js";
import { looseRuns } from "./sweeps/loose-runs.js";
import { kendallTable } from "./paper/final-signals.js";
import { paperArms } from "./paper/paper-arms.js";
import { atFixedK, paperFigures, type PaperFigure } from "./paper/paper-figures.js";
import { sweepFigures } from "./sweeps/sweep-figures.js";
import type { SweepFacts } from "./sweeps/sweep-facts.js";
import { whatIfFigures } from "./sweeps/what-if-figures.js";
import { armsOf } from "./tables/arms.js";
import type { Table } from "./tables/table.js";
import { tablesOf } from "./tables/tables-of.js";
import { askRules, type WhatIfRules } from "./tables/what-if.js";
import { whatIfTable } from "./tables/what-if-table.js";

/** What is reported on: one run, or a sweep. */
export type Subject =
  { readonly kind: "run"; readonly run: RunFacts } | { readonly kind: "sweep"; readonly facts: SweepFacts };

/** Everything that a report has of its subject, as data: each figure and table once. */
export interface Contents {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  /** By number; empty for what is none of the paper's experiments. */
  readonly paper: readonly PaperFigure[];
  /** What other rules would have found; empty where nobody asked. */
  readonly whatIf: { readonly figures: readonly Figure[]; readonly tables: readonly Table[] };
}

export function contentsOf(subject: Subject, rules: WhatIfRules | null): Contents {
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

function askedOf(subject: Subject, rules: WhatIfRules): Contents["whatIf"] {
  const { sweep, runs } = subject.kind === "run" ? looseRuns([subject.run], [], subject.run.folder) : subject.facts;
  // What another run trained is asked of that one.
  const stateOf = ({ id, takenFrom }: SweptRun) => (takenFrom === null ? (runs.get(id)?.state ?? null) : null);
  const asked = askRules(sweep, stateOf, rules);
  const table = whatIfTable(sweep, asked);
  return { figures: whatIfFigures(asked), tables: table === null ? [] : [table] };
}
