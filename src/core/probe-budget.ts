import { isRecorded } from "../metrics.js";
import { dropIdentity } from "./bit-identity.js";
import { CALM_CHANGES } from "./detector/stabilization.js";
import { droppedUpdates, withGrid } from "./grid.js";
import { indexAt } from "./intervention/counting.js";
import { awaitsInterval, latestIndex } from "./intervention/online-interval.js";
import { detectorRule, measuredBy } from "./measured.js";
import type { Model, State } from "./state.js";
import { costOf, shareOf, type Cost } from "./timing.js";
import { andThen, stay, withDecisions, type Transition } from "./transition.js";

/** The multiple of `every` that keeps the budget, and the numbers behind it. */
export interface BudgetChoice extends Cost {
  /** Of `probe.budget`. */
  readonly budget: number;
  /** As configured. */
  readonly initial: number;
  readonly every: number;
  /** Measuring as a share of training with either of them. */
  readonly initialShare: number;
  readonly share: number;
  /** The largest `every` that leaves the points that a decision needs; null where the end is unknown. */
  readonly largest: number | null;
}

/** Beyond it nothing is measured a second time; a measurement that takes longer than this many updates is a fault. */
const MOST_MULTIPLE = 1_000_000;

/** The least multiple of `initial` that keeps `budget`, or the largest one that still leaves a decision. */
export function chooseEvery(initial: number, budget: number, cost: Cost, largest: number | null): BudgetChoice {
  const initialShare = shareOf(cost, initial);
  const most = Math.min(MOST_MULTIPLE, Math.max(1, largest === null ? Infinity : Math.floor(largest / initial)));
  const least = Math.min(most, Math.max(1, Math.ceil(initialShare / budget)));
  // Rounded quotients may be one short.
  const multiple = least < most && shareOf(cost, initial * least) > budget ? least + 1 : least;
  const every = initial * multiple;
  const { secondsPerPoint, secondsPerUpdate, points, updates } = cost;
  const measured = { secondsPerPoint, secondsPerUpdate, points, updates };
  return { budget, initial, every, initialShare, share: shareOf(cost, every), largest, ...measured };
}

/**
 * The largest `every` with which the rule can fire before k_max, or where there is none, before measuring ends: tau
 * points make an average, one change of it is the transient's, and `CALM_CHANGES` come after that.
 */
export function largestEvery(state: State, model: Model): number | null {
  const { intervention } = state.config;
  const until = measuredBy(state.config)?.until;
  const lasts = [
    awaitsInterval(state) ? latestIndex(state, model) : null,
    typeof until === "number" ? indexAt(intervention, until) : null,
    model.numUpdates === null ? null : indexAt(intervention, model.numUpdates),
  ].filter((last) => last !== null);
  // What a script records decides by itself, however seldom anything is measured beside it.
  if (lasts.length === 0 || isRecorded(detectorRule(state.config).signal)) return null;
  return Math.floor(Math.min(...lasts) / (detectorRule(state.config).tau + CALM_CHANGES));
}

/** Chooses `every` once, as soon as it is known what measuring and training take. */
export function keepBudget(state: State, update: number): Transition {
  const { model, signal, progress } = state;
  const probe = measuredBy(state.config);
  const budget = probe?.budget ?? null;
  // In recovery the choice waits for the boundary from which on nothing was measured yet.
  if (probe === null || budget === null || model === null || signal.grid !== null || update < progress.frontier) {
    return stay(state);
  }
  const cost = costOf(signal.timing, update);
  if (cost === null) return stay(state);
  const choice = chooseEvery(probe.every, budget, cost, largestEvery(state, model));
  const chosen = withGrid(state, { every: choice.every, from: update, choice });
  const dropped = droppedUpdates(chosen.signal);
  const decided = withDecisions(stay(chosen), { type: "every/chosen", update, ...choice, dropped });
  return andThen(decided, (next) => dropIdentity(next, [whyNotIdentical(choice)]));
}

function whyNotIdentical({ every }: BudgetChoice): string {
  return `\`probe.budget\` chose every = ${every} by seconds, which differ from run to run, and with it the points that k is decided by`;
}
