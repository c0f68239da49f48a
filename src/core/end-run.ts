import type { Decision } from "./commands.js";
import type { RunEnd, State } from "./state.js";
import { withParts } from "./parts.js";
import { stay, withCommands, withDecisions, type Transition } from "./transition.js";

/** Ends the run; nothing but a new controller changes its state after that. */
export function finish(state: State, end: RunEnd): Transition {
  const refused = refuseOpenRequests(withParts(state, { end }), "the run ended before it took effect");
  return withCommands(refused, { type: "run/finish", end });
}

/** Refuses the requests and orders of operators that are still open: whoever waits for an answer to one gets it. */
export function refuseOpenRequests(state: State, why: string): Transition {
  const open = [...state.operator.requests, ...state.operator.orders];
  const closed: State = withParts(state, { operator: { ...state.operator, requests: [], orders: [] } });
  return withDecisions(stay(closed), ...open.map(({ id }): Decision => ({ type: "operator/refused", id, why })));
}
