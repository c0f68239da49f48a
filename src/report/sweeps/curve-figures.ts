import { isFinite, signalOf } from "../../core/detector/signal.js";
import { updateAt } from "../../core/intervention/counting.js";
import { meanOf } from "../../statistics/moments.js";
import { signalName } from "../../words/names.js";
import { signalKeysOf } from "../facts/read-run.js";
import type { RunFacts } from "../facts/run-facts.js";
import { fileName, UPDATES, type LineFigure, type Point, type Series } from "../figures/figure.js";
import { isDrawn } from "../figures/run-figures.js";
import { drawnPoint, signalAxis } from "../figures/signal-figure.js";
import type { Arm } from "../tables/arms.js";
import type { SweepFacts } from "./sweep-facts.js";

/** The signals and the loss of all runs: seeds as thin lines behind the mean of their condition, and where each k lies. */
export function curveFigures(facts: SweepFacts, arms: readonly Arm[]): LineFigure[] {
  const runs = arms.flatMap((arm) => runsOf(facts, arm, arms).map(({ run }) => run));
  const keys = [...new Set(runs.flatMap((run) => signalKeysOf(run.state)))].filter(isDrawn);
  return [...keys.map((key) => signalsFigure(facts, arms, key)), lossFigure(facts, arms)].filter((one) => one !== null);
}

interface DrawnRun {
  readonly seed: number;
  readonly run: RunFacts;
  /** Whether another run's training is drawn, since it was the same. */
  readonly isTaken: boolean;
}

/** The runs of an arm that are drawn beside these others: the training of one that was taken is drawn once. */
function runsOf(facts: SweepFacts, { planned }: Arm, arms: readonly Arm[]): DrawnRun[] {
  const isBeside = (id: string): boolean => arms.some((arm) => arm.planned.some((other) => other.id === id));
  return planned.flatMap(({ id, seed, takenFrom }) => {
    const run = takenFrom === null || !isBeside(takenFrom) ? facts.runs.get(id) : undefined;
    return run === undefined ? [] : [{ seed, run, isTaken: takenFrom !== null }];
  });
}

/** A signal of these arms over the updates; null where none of them measured it. */
export function signalsFigure(facts: SweepFacts, arms: readonly Arm[], key: string): LineFigure | null {
  const series = arms.flatMap((arm): Series[] => {
    const own = runsOf(facts, arm, arms).flatMap((one) => {
      const points = one.run.state.signal.series[key];
      return points === undefined || points.length === 0 ? [] : [{ ...one, points: points.map(drawnPoint) }];
    });
    const decided = own.flatMap(({ run, isTaken, points }) => (isTaken ? [] : decidedPoint(run, key, points)));
    const marks: Series[] =
      decided.length === 0
        ? []
        : [
            {
              name: `k of ${arm.label}`,
              group: arm.label,
              role: "main",
              draws: "points",
              points: decided.sort((a, b) => a.x - b.x),
            },
          ];
    return [...linesOf(arm.label, own), ...marks];
  });
  if (series.length === 0) return null;
  return {
    kind: "lines",
    id: fileName(`signals-${signalOf(key).replace("recorded:", "")}`),
    title: signalName(key),
    caption: [
      "thick: the mean over seeds, thin: single seeds",
      ...(series.some(({ draws }) => draws === "points") ? ["symbols: where k was decided by this signal"] : []),
    ],
    x: UPDATES,
    y: signalAxis(key),
    series,
    rules: [],
  };
}

/** Where on the curve k lies, in a run whose k this signal decided. */
function decidedPoint({ state }: RunFacts, key: string, points: readonly Point[]): Point[] {
  const { interval, config } = state;
  if (interval?.signal == null || signalOf(key) !== interval.signal) return [];
  const update = updateAt(config.intervention, interval.k);
  const nearest = points.filter(({ y }) => Number.isFinite(y)).findLast(({ x }) => x <= update);
  return nearest === undefined ? [] : [{ x: update, y: nearest.y }];
}

function lossFigure(facts: SweepFacts, arms: readonly Arm[]): LineFigure | null {
  const series = arms.flatMap((arm) =>
    linesOf(
      arm.label,
      runsOf(facts, arm, arms).flatMap(({ seed, run }) =>
        run.loss.length === 0 ? [] : [{ seed, points: run.loss.map(({ step, loss }) => ({ x: step, y: loss })) }],
      ),
    ),
  );
  if (series.length === 0) return null;
  return {
    kind: "lines",
    id: "losses",
    title: "Training loss",
    caption: ["of single batches, at most one a second; thick: the mean over seeds, thin: single seeds"],
    x: UPDATES,
    y: { title: "training loss", column: "loss", scale: "linear", format: "number" },
    series,
    rules: [],
  };
}

/** A line of a single seed is the condition's; of several, the mean is, and they lie behind it. */
function linesOf(
  group: string,
  own: readonly { readonly seed: number; readonly points: readonly Point[] }[],
): Series[] {
  const curves = own.map(({ points }) => points.map(({ x, y }) => ({ x, y })));
  if (curves.length === 0) return [];
  if (curves.length === 1) return [{ name: group, group, role: "main", draws: "line", points: curves[0]! }];
  const seeds = own.map(({ seed }, index): Series => ({
    name: `${group}, seed ${seed}`,
    group,
    role: "seed",
    draws: "line",
    points: curves[index]!,
  }));
  return [...seeds, { name: group, group, role: "main", draws: "line", points: meanCurve(curves) }];
}

/** Bins of a mean of curves whose points lie at different updates. */
const BINS = 200;

/**
 * The mean where all of the curves that reach so far have a value; where they were told at different updates, as losses
 * are, of the means over equal stretches of updates.
 */
export function meanCurve(curves: readonly (readonly Point[])[]): Point[] {
  const finite = curves.map((points) => points.filter(({ y }) => isFinite(y) && Number.isFinite(y)));
  const last = Math.min(...finite.map((points) => points.at(-1)?.x ?? 0));
  const shared = sharedUpdates(finite);
  const shortest = Math.min(...finite.map(({ length }) => length));
  if (shared.length >= shortest / 2) return shared;
  const width = Math.max(1, last / Math.min(BINS, Math.max(1, Math.floor(shortest / 2))));
  const binned = finite.map((points) => binMeans(points, width, last));
  const bins = [...binned[0]!.keys()].filter((bin) => binned.every((means) => means.has(bin)));
  return bins.map((bin) => ({ x: (bin + 0.5) * width, y: meanOf(binned.map((means) => means.get(bin)!))! }));
}

/** Means at the updates at which every curve has a value. */
function sharedUpdates(curves: readonly (readonly Point[])[]): Point[] {
  const known = new Map<number, number[]>();
  for (const [before, points] of curves.entries()) {
    for (const { x, y } of points) {
      const values = known.get(x);
      if (values === undefined) {
        if (before === 0) known.set(x, [y]);
      } else if (values.length >= before) values[before] = y;
    }
  }
  const everywhere = [...known].filter(([, values]) => values.length === curves.length);
  return everywhere.map(([x, values]) => ({ x, y: meanOf(values)! }));
}

function binMeans(points: readonly Point[], width: number, last: number): Map<number, number> {
  const bins = new Map<number, number[]>();
  for (const { x, y } of points) {
    if (x > last) continue;
    const bin = Math.floor(x / width);
    bins.set(bin, [...(bins.get(bin) ?? []), y]);
  }
  return new Map([...bins].map(([bin, values]) => [bin, meanOf(values)!]));
}
