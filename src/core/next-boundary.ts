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
  const candidates = [
    nextPointAfter(state, update),
    nextChangeAfter(scheduleOf(state, model), update),
    model.canCheckpoint && checkpoint !== undefined ? nextMultiple(checkpoint.every, update) : null,
    validates === null ? null : nextMultiple(validates, update),
    model.canEvaluate ? nextEpochEnd(state, model, update) : null,
    latest === null ? null : updateAt(intervention, latest),
    missedAt(state, model),
    state.progress.frontier,
    ...state.operator.requests.map(({ request }) => request.at ?? null),
    model.numUpdates === null ? null : model.numUpdates + 1,
  ];
  const end = model.numUpdates === null ? null : model.numUpdates + 1;
  const later = candidates.filter((c): c is number => c !== null && c > update && (end === null || c <= end));
  return later.length === 0 ? null : Math.min(...later);
}
