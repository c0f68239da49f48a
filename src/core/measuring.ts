import { standingOf } from "./attempt/attempt.js";
import { indexAt, updateAt } from "./intervention/counting.js";
import { awaitsInterval } from "./intervention/online-interval.js";
import { everyAt, isPoint } from "./grid.js";
import { measuredBy } from "./measured.js";
import type { State } from "./state.js";

/** Whether this attempt has already sent the metrics due before `update`; a fresh attempt measures again. */
export function isMeasured(state: State, update: number): boolean {
  return !isWanted(state, update) || standingOf(state.attempt)?.measuredAt === update;
}

/** The next boundary at which something is to be measured, or null. */
export function nextPointAfter(state: State, update: number): number | null {
  const { intervention } = state.config;
  const index = indexAt(intervention, update);
  const next = nextPointOf(state, update, index);
  return isWanted(state, next) ? next : null;
}

function nextPointOf(state: State, update: number, index: number): number {
  const { intervention } = state.config;
  if (index < 1) return updateAt(intervention, 1);
  const next = updateAt(intervention, nextMultiple(everyAt(state, update + 1), index));
  // Behind the last boundary of the configured grid the chosen one goes on.
  const { grid } = state.signal;
  return grid === null || next <= grid.from || update >= grid.from
    ? next
    : updateAt(intervention, nextMultiple(grid.every, indexAt(intervention, grid.from)));
}

/** Names of the metrics to measure at boundary `update`. */
export function metricsAt(state: State, update: number): string[] {
  return isWanted(state, update) ? [...(measuredBy(state.config)?.metrics ?? [])] : [];
}

/**
 * Whether there are metrics to measure at boundary `update`, as long as they are wanted: at the start of the intervention
 * (point 0) and, counted from there, at multiples of `probe.every`, or of what `probe.budget` made of it.
 */
function isWanted(state: State, update: number): boolean {
  const probe = measuredBy(state.config);
  if (probe === null || probe.metrics.length === 0) return false;
  const { until } = probe;
  const index = indexAt(state.config.intervention, update);
  if (!isPoint(index, everyAt(state, update))) return false;
  if (until === "end") return true;
  return until === "decision" ? awaitsInterval(state) || update <= decidedAt(state) : update <= until;
}

function decidedAt(state: State): number {
  return state.interval?.decidedAt ?? 0;
}

/** The first multiple of `of` after `after`. */
export function nextMultiple(of: number, after: number): number {
  return after - (after % of) + of;
}
