import { isFinite, signalKey } from "../../core/detector/signal.js";
import type { Metric } from "../../metrics.js";
import { kendallTau, type RankCorrelation } from "../../statistics/kendall.js";
import { signalName } from "../../words/names.js";
import type { LineFigure, Point, Series } from "../figures/figure.js";
import { signalAxis } from "../figures/signal-figure.js";
import { decidingScore, scoreHeading } from "../tables/compared-score.js";
import { scaleMarks } from "../tables/marks.js";
import { titleOf } from "../tables/notes.js";
import { cell, column, type Table } from "../tables/table.js";
import type { PaperArm } from "./paper-arms.js";
import { scoreAxis } from "../sweeps/score-figures.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";

const METRICS = ["feature_lambda_max", "sharpness_worst", "sharpness_avg"] as const satisfies readonly Metric[];

/** A run that has finished: what a signal was at its end, and its OOD score. */
interface Finished {
  readonly group: string;
  readonly k: number | null;
  readonly signal: number;
  readonly score: number;
}

interface FinalSignal {
  readonly metric: Metric;
  readonly score: string;
  readonly runs: readonly Finished[];
  /** Null where the runs are too few or all the same. */
  readonly correlation: RankCorrelation | null;
}

/** The paper's Figure 5: a point a run, with Kendall's tau between the signal at the end and OOD. */
export function finalSignalFigures(facts: SweepFacts, chosen: readonly PaperArm[]) {
  const found = finalSignals(facts, chosen);
  return METRICS.map((metric) => ({
    name: metric,
    needs: `finished runs at two k's or more that measured \`${metric}\` at their last update (\`probe.until=end\`)`,
    figure: figureOf(found.find((one) => one.metric === metric)),
  }));
}

/** The same as numbers; null where there are none. */
export function kendallTable(facts: SweepFacts, chosen: readonly PaperArm[]): Table | null {
  const found = finalSignals(facts, chosen).filter(({ correlation }) => correlation !== null);
  if (found.length === 0) return null;
  const { sweep } = facts;
  return {
    name: "kendall",
    caption: `${titleOf(sweep)}: rank correlation of signals at the end of training with ${scoreHeading(found[0]!.score)}`,
    stub: "signal at the end",
    columns: [
      column("tau", "Kendall's tau", { unit: "number" }),
      column("p", "p", { unit: "number" }),
      column("n", "runs", { unit: "count" }),
    ],
    rows: found.map(({ metric, correlation }) => ({
      label: signalName(metric),
      marks: scaleMarks(sweep.scale),
      cells: [
        cell({ value: correlation!.tau, n: correlation!.n }),
        cell({ value: correlation!.p, n: correlation!.n }),
        cell({ value: correlation!.n }),
      ],
    })),
    notes: [
      "Kendall's tau-b over runs of standard training and with fixed k's; p is two-sided, exact up to 10 runs without ties, else by the normal distribution.",
      "Runs with the same seed begin with the same weights, so p takes them for more independent than they are.",
    ],
    sources: [sweep.name],
  };
}

function finalSignals({ sweep, runs }: SweepFacts, chosen: readonly PaperArm[]): FinalSignal[] {
  const score = decidingScore(
    sweep,
    chosen.map(({ arm }) => arm),
  );
  if (score === null) return [];
  const ids = new Set(chosen.flatMap(({ arm }) => arm.planned.map(({ id }) => id)));
  return METRICS.flatMap((metric): FinalSignal[] => {
    const found = chosen.flatMap(({ arm, config, rate }) =>
      arm.completed.flatMap(({ run, scores, results: { k, updates } }): Finished[] => {
        const last = runs.get(run.id)?.state.signal.series[signalKey(metric)]?.at(-1);
        const own = scores[score];
        // One training is one point.
        if (run.takenFrom !== null && ids.has(run.takenFrom)) return [];
        // What was last measured long before the end says nothing of the end.
        if (last === undefined || own === undefined || !isFinite(last.value) || 2 * last.update < updates) return [];
        const group = `learning rate ${config.train.learning_rate}${rate === 1 ? "" : ` (${Number(rate.toPrecision(2))} of the paper's)`}`;
        return [{ group, k: k?.value ?? null, signal: last.value, score: own }];
      }),
    );
    if (found.length < 2) return [];
    const correlation = kendallTau(
      found.map((one) => one.signal),
      found.map((one) => one.score),
    );
    return [{ metric, score, runs: found, correlation }];
  });
}

function figureOf(found: FinalSignal | undefined): LineFigure | null {
  if (found === undefined || new Set(found.runs.map(({ k }) => k)).size < 2) return null;
  const { metric, score, runs, correlation } = found;
  const groups = [...new Set(runs.map(({ group }) => group))];
  const series = groups.map((group): Series => {
    const points = runs
      .filter((one) => one.group === group)
      .map((one): Point => ({ x: one.signal, y: one.score }))
      .sort((a, b) => a.x - b.x);
    return { name: group, group, role: "main", draws: "points", points };
  });
  const told =
    correlation === null
      ? "no rank correlation: one of the two is the same in all runs"
      : `Kendall's tau = ${correlation.tau.toFixed(3)}, p = ${correlation.p.toPrecision(2)}, n = ${correlation.n} runs`;
  return {
    kind: "lines",
    id: `final-${metric}`,
    title: `${scoreHeading(score)} over ${signalName(metric)} at the end`,
    caption: [told, "one point a run, as last measured"],
    x: { ...signalAxis(signalKey(metric)) },
    y: scoreAxis(score),
    series,
    rules: [],
  };
}
