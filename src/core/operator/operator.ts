import { proceed } from "../boundary.js";
import type { EventOf, OperatorRequest } from "../events.js";
import { kindOf } from "../intervention/kinds.js";
import { impossibility, prematurity } from "./requests.js";
import { standingOf } from "../attempt/attempt.js";
import type { State } from "../state.js";
import { withParts } from "../parts.js";
import { andThen, stay, withCommands, withDecisions, type Transition } from "../transition.js";

/** Takes an operator's request in: refused at once, or kept for the boundary at which it takes effect. */
export function receiveRequest(state: State, event: EventOf<"operator/requested">): Transition {
  const { id, who, request } = event;
  if (state.operator.ids.has(id)) return stay(state);
  const known: State = withParts(state, { operator: { ...state.operator, ids: state.operator.ids.append(id) } });
  const why = refusal(state, request);
  if (why !== null) return withDecisions(stay(known), { type: "operator/refused", id, why });
  const update = standingOf(state.attempt)?.update ?? null;
  const accepted = withDecisions(
    stay(
      withParts(known, {
        operator: { ...known.operator, requests: [...state.operator.requests, { id, who, request }] },
      }),
    ),
    { type: "operator/accepted", id, update },
  );
  return andThen(accepted, recallOrProceed);
}

/** A training worker is recalled, so that the request takes effect before its next update; a waiting one is served at once. */
export function recallOrProceed(state: State): Transition {
  const { attempt } = state;
  // An attempt that is being killed hears nothing any more; the next one is served.
  if (attempt?.ended !== null) return stay(state);
  if (attempt.stage === "waiting") return proceed(state);
  if (attempt.stage !== "training" || attempt.recalled) return stay(state);
  const recalled: State = withParts(state, { attempt: { ...attempt, recalled: true } });
  return withCommands(stay(recalled), { type: "worker/recall", attempt: attempt.number });
}

function refusal(state: State, request: OperatorRequest): string | null {
  const { model, attempt } = state;
  if (state.end !== null || state.operator.interrupted !== null) return "the run is ending";
  if (attempt?.stage === "stopping" || attempt?.stage === "closed") return "the run is ending";
  if (request.verb === "set-lr" && !(request.factor >= 0 && request.factor < Infinity)) {
    return "the learning-rate factor must be a finite number of at least 0";
  }
  const meaningless = kindOf(state.config.intervention).refusal(request.verb);
  if (meaningless !== null) return meaningless;
  if (model === null) return null;
  const { numUpdates } = model;
  const { at } = request;
  if (at !== undefined && numUpdates !== null && at > numUpdates) return `the run ends after update ${numUpdates}`;
  const impossible = impossibility(model, request, at ?? standingOf(attempt)?.update ?? 0);
  if (impossible !== null || at === undefined) return impossible;
  // A later boundary may have been reached before: what changes weights waits for that one.
  return prematurity(state, request, Math.max(at, state.progress.frontier));
}
