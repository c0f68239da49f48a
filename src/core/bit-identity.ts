import type { State } from "./state.js";
import { withParts } from "./parts.js";
import { stay, withDecisions, type Transition } from "./transition.js";

/** Takes back the promise that the run comes out bit for bit as it would have undisturbed. Each reason is said once. */
export function dropIdentity(state: State, reasons: readonly string[]): Transition {
  if (reasons.length === 0) return stay(state);
  const added = reasons.filter((why) => !state.identityDropped.has(why));
  const dropped: State = withParts(state, { identityDropped: state.identityDropped.appendAll(added) });
  return withDecisions(stay(dropped), ...added.map((why) => ({ type: "identity/dropped", why }) as const));
}
