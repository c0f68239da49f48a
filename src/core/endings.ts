import type { Attempt, RunEnd, State } from "./state.js";
import type { Decision } from "./commands.js";
import { stay, withCommands, withDecisions, type Transition } from "./transition.js";

type Refusal = Extract<RunEnd, { outcome: "failed" }>;

/** Ends an attempt that broke the protocol or a clock; its process is killed and its exit decides about a restart. */
export function endAttempt(state: State, attempt: Attempt, why: string): Transition {
  if (attempt.endedBecause !== null) return stay(state);
  const ended: State = { ...state, attempt: { ...attempt, endedBecause: why, grant: null } };
  return withCommands(stay(ended), { type: "worker/kill", attempt: attempt.number });
}

/** Ends an attempt that no restart can help: its process is killed, and the run ends as `end` says once it is gone. */
export function refuseAttempt(state: State, attempt: Attempt, refusal: Refusal): Transition {
  const refused: Attempt = { ...attempt, refusal };
  return endAttempt({ ...state, attempt: refused }, refused, refusal.message);
}

/** Ends the run; nothing but a new controller changes its state after that. */
export function finish(state: State, end: RunEnd): Transition {
  const refused = refuseOpenRequests({ ...state, end }, "the run ended before it took effect");
  return withCommands(refused, { type: "run/finish", end });
}

/** Whoever waits for an answer to a command that will never be carried out gets one. */
export function refuseOpenRequests(state: State, why: string): Transition {
  const open = [...state.operatorRequests, ...state.operatorOrders];
  const closed: State = { ...state, operatorRequests: [], operatorOrders: [] };
  return withDecisions(stay(closed), ...open.map(({ id }): Decision => ({ type: "operator/refused", id, why })));
}
