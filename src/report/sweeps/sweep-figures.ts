import type { Figure } from "../figures/figure.js";
import { armsOf } from "../tables/arms.js";
import { decidingScore, scoreBeside } from "../tables/compared-score.js";
import { curveFigures } from "./curve-figures.js";
import { conditionFigure, gainFigure, partFigures, scoreOverK } from "./score-figures.js";
import type { SweepFacts } from "./sweep-facts.js";

/** Everything that is drawn of a sweep, in the order in which it is shown. */
export function sweepFigures(facts: SweepFacts): Figure[] {
  const arms = armsOf(facts.sweep);
  const deciding = decidingScore(facts.sweep, arms);
  const beside = deciding === null ? null : scoreBeside(deciding, arms);
  const scores = [deciding, beside].filter((score) => score !== null);
  const figures: (Figure | null)[] = [
    ...(deciding === null ? [] : [conditionFigure(arms, deciding), gainFigure(arms, deciding)]),
    ...(beside === null ? [] : [conditionFigure(arms, beside)]),
    ...scores.map((score) => scoreOverK(arms, score)),
    ...curveFigures(facts, arms),
    ...partFigures(arms),
  ];
  return figures.filter((figure) => figure !== null);
}
