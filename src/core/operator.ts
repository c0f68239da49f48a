import { proceed } from "./boundary.js";
import type { EventOf, OperatorCommand } from "./events.js";
import { impossibility, prematurity } from "./requests.js";
import type { State } from "./state.js";
import { andThen, stay, withCommands, withDecisions, type Transition } from "./transition.js";

/** Takes an operator's command in: refused at once, or kept for the boundary at which it takes effect. */
export function receiveCommand(state: State, event: EventOf<"operator/commanded">): Transition {
  const { id, who, command } = event;
  if (state.operatorIds.includes(id)) return stay(state);
  const known: State = { ...state, operatorIds: [...state.operatorIds, id] };
  const why = refusal(state, command);
  if (why !== null) return withDecisions(stay(known), { type: "operator/refused", id, why });
  const update = state.attempt?.update ?? null;
  const accepted = withDecisions(
    stay({ ...known, operatorRequests: [...state.operatorRequests, { id, who, command }] }),
    { type: "operator/accepted", id, update },
  );
  return andThen(accepted, recallOrProceed);
}

/** A training worker is recalled, so that the command takes effect before its next update; a waiting one is served at once. */
export function recallOrProceed(state: State): Transition {
  const { attempt } = state;
  // An attempt that is being killed hears nothing any more; the next one is served.
  if (attempt?.endedBecause !== null) return stay(state);
  if (attempt.stage === "waiting") return proceed(state);
  if (attempt.stage !== "training" || attempt.recalled) return stay(state);
  const recalled: State = { ...state, attempt: { ...attempt, recalled: true } };
  return withCommands(stay(recalled), { type: "worker/recall", attempt: attempt.number });
}

function refusal(state: State, command: OperatorCommand): string | null {
  const { model, attempt } = state;
  if (state.end !== null || state.interrupted !== null) return "the run is ending";
  if (attempt?.stage === "stopping" || attempt?.stage === "closed") return "the run is ending";
  if (command.verb === "set-lr" && !(command.factor >= 0 && command.factor < Infinity)) {
    return "the learning-rate factor must be a finite number of at least 0";
  }
  if (command.verb === "unfreeze" && state.config.intervention.kind !== "gradual_unfreezing") {
    return "this run freezes nothing";
  }
  if (model === null) return null;
  const { numUpdates } = model;
  const { at } = command;
  if (at !== undefined && numUpdates !== null && at > numUpdates) return `the run ends after update ${numUpdates}`;
  const impossible = impossibility(model, command, at ?? attempt?.update ?? 0);
  if (impossible !== null || at === undefined) return impossible;
  // A later boundary may have been reached before: what changes weights waits for that one.
  return prematurity(state, command, at > state.frontier ? at : state.frontier);
}
