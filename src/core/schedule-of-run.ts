import { deriveSchedule } from "./intervention/kinds.js";
import type { Schedule } from "./intervention/schedule.js";
import type { Model, State } from "./state.js";

/** The latest schedule of each model, with what it was derived from. */
const derived = new WeakMap<Model, { readonly from: Origin; readonly schedule: Schedule }>();

type Origin = readonly [State["config"], State["interval"], State["operator"]["changes"]];

/** The schedule of a run whose model is known. It is asked for often, and seldom another one. */
export function scheduleOf(state: State, model: Model): Schedule {
  const { config, interval, operator } = state;
  const known = derived.get(model);
  if (known?.from[0] === config && known.from[1] === interval && known.from[2] === operator.changes) {
    return known.schedule;
  }
  const { intervention, seed } = config;
  const schedule = deriveSchedule({ intervention, model, interval, operatorChanges: operator.changes, seed });
  derived.set(model, { from: [config, interval, operator.changes], schedule });
  return schedule;
}
