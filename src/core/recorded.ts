/**
 * What a script records by itself. It comes with the boundary after it, which the worker makes where there would be
 * none, so that neither how often signals are measured nor what an operator asks for changes where a number stands.
 */
import { isRecorded } from "../metrics.js";
import type { Body } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import { recordedKey, recordedNameIn, recordedNames, signalKey } from "./detector/signal.js";
import { updateAt } from "./intervention/counting.js";
import { awaitsInterval, latestInterval } from "./intervention/online-interval.js";
import { onlineRule } from "./intervention/online-rule.js";
import type { Model, State } from "./state.js";

type Metrics = Body<"boundary">["metrics"];

/** What came with a message as values of series. */
export function recordedMetrics({ recorded = [] }: Pick<Body<"boundary">, "recorded">): Metrics {
  const nothing = { change_standard_error: null, span_standard_error: null, seconds: 0 };
  return recorded.map(({ name, value, standard_error }) => {
    return { key: recordedKey(name), value, standard_error, ...nothing };
  });
}

/** Whether a value that comes again has to be the same: not what a script records for people, such as its speed. */
export function isComparable({ config }: State, key: string): boolean {
  if (recordedNameIn(key) === null) return true;
  const rule = onlineRule(config.intervention);
  return rule !== null && signalKey(rule.signal) === key;
}

/** Where the end of the training is unknown, this is how long a script may train before it is missed. */
const PATIENCE = 1000;

/** The update before which the deciding number is missed, half-way to k_max; null where k is not found by one. */
export function missedAt(state: State, model: Model): number | null {
  const rule = onlineRule(state.config.intervention);
  if (rule === null || !isRecorded(rule.signal) || !awaitsInterval(state) || hasHeard(state)) return null;
  const latest = latestInterval(state, model);
  return updateAt(rule, latest === null ? PATIENCE : Math.max(1, Math.floor(latest / 2)));
}

/** Says once that the number by which k is to be found has not come by boundary `update`. */
export function missSignal(before: State, state: State, update: number): Decision[] {
  const missed = state.model === null ? null : missedAt(before, state.model);
  const isNow = missed !== null && before.signal.judgedUntil < missed && missed <= update;
  return isNow && !hasHeard(state) ? [unheard(state, update)] : [];
}

/** The same at the end of a training that has never found its k. */
export function missedToTheEnd(state: State): Decision[] {
  const rule = onlineRule(state.config.intervention);
  if (rule === null || !isRecorded(rule.signal) || state.interval !== null || hasHeard(state)) return [];
  return [unheard(state, state.progress.frontier)];
}

function unheard(state: State, update: number): Decision {
  const signal = onlineRule(state.config.intervention)!.signal;
  return { type: "signal/unheard", update, signal, recorded: recordedNames(state.signal.series) };
}

function hasHeard({ config, signal: { series } }: State): boolean {
  const rule = onlineRule(config.intervention);
  return rule !== null && (series[signalKey(rule.signal)]?.length ?? 0) > 0;
}
