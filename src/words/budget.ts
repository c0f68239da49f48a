import type { BudgetChoice } from "../core/probe-budget.js";
import type { State } from "../core/state.js";
import { measuredBy } from "../core/measured.js";
import { formatCount, formatShare } from "./format.js";

/** What `probe.budget` made of `every`, and where it cannot be kept, why not and what helps. */
export function describeChoice(choice: BudgetChoice): string {
  const { every, initial, share, budget, initialShare, largest } = choice;
  const costs = `measuring takes ${formatShare(initialShare)} of training at every = ${initial}`;
  if (share > budget) {
    const most = `every = ${every} is the most that leaves the points of a decision (${largest ?? every} updates apart at most)`;
    return `${formatShare(budget)} cannot be kept: ${costs}, ${formatShare(share)} at ${every}; ${most}; ${REMEDY}`;
  }
  const kept = every === initial ? "which stays" : `so every = ${every}: ${formatShare(share)}`;
  return `${formatShare(budget)}: ${costs}, ${kept}`;
}

const REMEDY = "fewer `probe.points` or metrics, a later `intervention.k_max` or a longer training would keep it";

/** Points that were measured and are not on the grid; empty where all are. */
export function describeDropped(dropped: readonly number[]): string {
  if (dropped.length === 0) return "";
  const where = dropped.length === 1 ? "update" : "updates";
  return `${formatCount(dropped.length, "point")} left out, at ${where} ${dropped.join(", ")}`;
}

/** For the progress line; empty where no budget is set. */
export function describeBudget(state: Pick<State, "config" | "signal">): string {
  const budget = measuredBy(state.config)?.budget ?? null;
  if (budget === null) return "";
  const { grid } = state.signal;
  return ` of ${formatShare(budget)}${grid === null ? "" : `, every ${grid.every}`}`;
}
