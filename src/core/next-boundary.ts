import { validationInterval } from "./best.js";
import { nextEpochEnd } from "./epoch-ends.js";
import { updateAt } from "./intervention/counting.js";
import { nextChangeAfter } from "./intervention/schedule.js";
import { awaitsInterval, latestInterval } from "./intervention/online-interval.js";
import { nextMultiple, nextPointAfter } from "./measuring.js";
import { missedAt } from "./recorded.js";
import { scheduleOf } from "./schedule-of-run.js";
import type { Model, State } from "./state.js";

/** The next update before which the worker must stop; null when none is foreseen and the run has no known end. */
export function nextBoundary(state: State, model: Model, update: number): number | null {
  const { intervention, checkpoint } = state.config;
  const latest = awaitsInterval(state) ? latestInterval(state, model) : null;
  const validates = validationInterval(state, model);
  const end = model.numUpdates === null ? Infinity : model.numUpdates + 1;
  let next = Infinity;
  const consider = (candidate: number | null): void => {
    if (candidate !== null && candidate > update && candidate <= end && candidate < next) next = candidate;
  };
  consider(nextPointAfter(state, update));
  consider(nextChangeAfter(scheduleOf(state, model), update));
  if (model.canCheckpoint && checkpoint !== undefined) consider(nextMultiple(checkpoint.every, update));
  if (validates !== null) consider(nextMultiple(validates, update));
  if (model.canEvaluate) consider(nextEpochEnd(state, model, update));
  if (latest !== null) consider(updateAt(intervention, latest));
  consider(missedAt(state, model));
  consider(state.progress.frontier);
  for (const { request } of state.operator.requests) consider(request.at ?? null);
  consider(end);
  return next === Infinity ? null : next;
}
