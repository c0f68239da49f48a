import { isPlateau } from "../../core/detector/series-rule.js";
import { detectorRule } from "../../core/measured.js";
import { signalName } from "../../words/names.js";
import type { RunFacts } from "../facts/run-facts.js";
import { UPDATES, type LineFigure, type Point, type Series } from "./figure.js";
import { decisionRules } from "./signal-figure.js";

/** What the online rule judged by: the latest change and its error beside the tolerance; null where it judged nothing. */
export function detectorFigure({ state, judgements }: RunFacts): LineFigure | null {
  if (judgements.length === 0) return null;
  const { signal, tau, epsilon } = detectorRule(state.config);
  const of = (name: string, valueOf: (judged: RunFacts["judgements"][number]) => number | null): Series[] => {
    const points = judgements.flatMap((judged): Point[] => {
      const value = valueOf(judged);
      return value === null ? [] : [{ x: judged.update, y: value }];
    });
    return points.length === 0 ? [] : [{ name, group: name, role: "main", draws: "line", points }];
  };
  const series = [
    ...of("change of the moving average", ({ judgement }) => (isPlateau(judgement) ? null : judgement.change)),
    ...of("its standard error", ({ judgement }) => (isPlateau(judgement) ? null : judgement.noise)),
    ...of("improvement so far", ({ judgement }) => (isPlateau(judgement) ? judgement.improved : null)),
    ...of("gain of the latest points", ({ judgement }) => (isPlateau(judgement) ? judgement.gain : null)),
  ];
  // One judgement is told by the table.
  if (series.every(({ points }) => points.length < 2)) return null;
  return {
    kind: "lines",
    id: "detector",
    title: `What the detector saw of ${signalName(signal)}`,
    caption: [`as shares of the range so far; tau ${tau}, epsilon ${epsilon}`],
    x: UPDATES,
    y: { title: "share of the range", column: "share", scale: "linear", format: "number" },
    series,
    rules: [
      ...decisionRules(state).filter(({ kind }) => kind !== "limit"),
      { axis: "y", at: epsilon, label: `epsilon ${epsilon}`, group: null, kind: "reference" },
    ],
  };
}
