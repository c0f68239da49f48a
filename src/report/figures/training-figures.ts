import { learningRateFactorAt } from "../../core/intervention/schedule.js";
import { scheduleOf } from "../../core/schedule-of-run.js";
import type { State } from "../../core/state.js";
import { completedUpdates } from "../../reading/results.js";
import type { RunFacts } from "../facts/run-facts.js";
import { UPDATES, type LineFigure, type Point, type Rule, type Series } from "./figure.js";
import { decisionRules } from "./signal-figure.js";

/** Loss of the training batches; null where none was told. */
export function lossFigure({ state, loss }: RunFacts): LineFigure | null {
  if (loss.length === 0) return null;
  const points = loss.map(({ step, loss: y }) => ({ x: step, y }));
  return {
    kind: "lines",
    id: "loss",
    title: "Training loss",
    caption: ["of single batches, at most one a second"],
    x: UPDATES,
    y: { title: "training loss", column: "loss", scale: "linear", format: "number" },
    series: [{ name: "training loss", group: "training loss", role: "main", draws: "line", points }],
    rules: releaseRules(state),
  };
}

/** Learning rates; of a built-in training by its schedule, of a script as it told them; null where nothing is known. */
export function learningRateFigure({ state, learningRates }: RunFacts): LineFigure | null {
  const last = completedUpdates(state);
  const groups = Math.max(0, ...learningRates.map(({ rates }) => rates.length));
  if (groups === 0 || last === 0) return null;
  const computed = scheduledRates(state, last);
  const agrees =
    computed !== null &&
    learningRates.every(
      ({ update, rates }) => update > last || rates.some((rate) => isNear(rate, computed.at(update))),
    );
  const told = Array.from({ length: groups }, (_, group): Series => {
    const name = groups === 1 ? "learning rate" : `group ${group + 1}`;
    const points = learningRates.flatMap(({ update, rates }): Point[] => {
      const rate = rates[group];
      return rate === undefined ? [] : [{ x: update, y: rate }];
    });
    const end = points.at(-1);
    const whole = end === undefined || end.x >= last ? points : [...points, { x: last, y: end.y }];
    return { name, group: name, role: "main", draws: "steps", points: whole };
  });
  const scheduled: Series = {
    name: "learning rate",
    group: "learning rate",
    role: "main",
    draws: "line",
    points: computed?.points ?? [],
  };
  const caption = agrees
    ? "base rate times schedule and intervention"
    : "as the worker told it, at its start and at changes that it was ordered: a schedule of the script's own lies between";
  return {
    kind: "lines",
    id: "learning-rate",
    title: "Learning rate",
    caption: [caption],
    x: UPDATES,
    y: { title: "learning rate", column: "learning_rate", scale: "linear", format: "number" },
    series: agrees ? [scheduled] : told,
    rules: releaseRules(state),
  };
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

const MOST_POINTS = 400;

/** What python/thawline/trainers/schedule.py computes, times the factor of the intervention. */
function scheduledRates(
  state: State,
  last: number,
): { readonly at: (update: number) => number; readonly points: readonly Point[] } | null {
  const { config, model } = state;
  if (config.train === undefined || model?.numUpdates == null) return null;
  const { learning_rate: base, schedule } = config.train;
  const total = model.numUpdates;
  const changes = scheduleOf(state, model);
  const share = (update: number): number => {
    if (schedule.kind === "constant") return 1;
    if (schedule.kind === "linear") return (total + 1 - update) / total;
    return Math.min(1, (total + 1 - update) / Math.max(1, Math.round(schedule.fraction * total)));
  };
  const at = (update: number): number => base * share(update) * learningRateFactorAt(changes, update);
  const stride = Math.max(1, Math.ceil(last / MOST_POINTS));
  const edges = changes.factors.flatMap(({ update }) => [update - 1, update]);
  const updates = Array.from({ length: Math.ceil(last / stride) }, (_, index) => 1 + index * stride);
  const all = [...new Set([...updates, ...edges, last])].filter((update) => update >= 1 && update <= last);
  return { at, points: all.sort((a, b) => a - b).map((update) => ({ x: update, y: at(update) })) };
}

/** Where k lies and when blocks begin to train. */
export function releaseRules(state: State): Rule[] {
  return decisionRules(state)
    .filter(({ kind }) => kind === "decision" || kind === "limit")
    .slice(0, 1);
}
