import type { Attempt, RunEnd, State } from "./state.js";
import { stay, withCommands, type Transition } from "./transition.js";

/** Ends an attempt that broke the protocol or a clock; its process is killed and its exit decides about a restart. */
export function endAttempt(state: State, attempt: Attempt, why: string): Transition {
  if (attempt.endedBecause !== null) return stay(state);
  const ended: State = { ...state, attempt: { ...attempt, endedBecause: why, grant: null } };
  return withCommands(stay(ended), { type: "worker/kill", attempt: attempt.number });
}

/** Ends the run; nothing but a new controller changes its state after that. */
export function finish(state: State, end: RunEnd): Transition {
  return withCommands(stay({ ...state, end }), { type: "run/finish", end });
}
