import type { Decision } from "../commands.js";
import { scheduleOf } from "../schedule-of-run.js";
import { blocksLeftFrozen } from "./schedule.js";
import type { Interval, State } from "../state.js";
import { withParts } from "../parts.js";
import { stay, withDecisions, type Transition } from "../transition.js";

/** Fixes k for good and says what follows from it. */
export function decideInterval(state: State, interval: Interval): Transition {
  const decided: State = withParts(state, { interval });
  const decision: Decision = {
    type: "interval/decided",
    k: interval.k,
    source: interval.source,
    signal: interval.signal,
    update: interval.decidedAt,
    judgement: interval.source === "fixed" ? null : state.signal.judgement,
    kOffline: interval.kOffline,
    kOfflineReason: interval.kOfflineReason,
  };
  return withDecisions(stay(decided), decision, ...incompleteSchedule(decided, interval));
}

function incompleteSchedule(state: State, interval: Interval): Decision[] {
  const { model } = state;
  if (model === null || model.numUpdates === null) return [];
  const frozen = blocksLeftFrozen(scheduleOf(state, model), model, model.numUpdates);
  return frozen.length === 0 ? [] : [{ type: "interval/incomplete", k: interval.k, frozen }];
}
