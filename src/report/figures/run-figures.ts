import { recordedNameIn, signalOf } from "../../core/detector/signal.js";
import { isMeasuredName } from "../../metrics.js";
import { signalKeysOf } from "../facts/read-run.js";
import type { RunFacts } from "../facts/run-facts.js";
import { blocksFigure } from "./blocks-figure.js";
import { detectorFigure } from "./detector-figure.js";
import type { Figure } from "./figure.js";
import { scoreFigures } from "./score-figures.js";
import { signalFigure } from "./signal-figure.js";
import { learningRateFigure, lossFigure } from "./training-figures.js";

/** Not what is journaled beside a metric, such as the parameters in its scope: numbers to look up, not to draw. */
export function isDrawn(key: string): boolean {
  return recordedNameIn(key) !== null || isMeasuredName(signalOf(key));
}

/** Everything that is drawn of one run, in the order in which it is shown. */
export function runFigures(run: RunFacts): Figure[] {
  const { state, results } = run;
  const figures: (Figure | null)[] = [
    ...signalKeysOf(state)
      .filter(isDrawn)
      .map((key) => signalFigure(state, key)),
    detectorFigure(run),
    blocksFigure(state),
    lossFigure(run),
    learningRateFigure(run),
    ...scoreFigures(results),
  ];
  return figures.filter((figure) => figure !== null);
}
