import type { Command, Decision } from "./commands.js";
import type { State } from "./state.js";

/** What one event leads to. `reduce` returns it whole; the parts of the core add to it one after another. */
export interface Transition {
  readonly state: State;
  readonly decisions: readonly Decision[];
  readonly commands: readonly Command[];
}

export function stay(state: State): Transition {
  return { state, decisions: [], commands: [] };
}

/** Runs the next part on the state so far and keeps what the earlier parts decided and ordered. */
export function andThen(before: Transition, next: (state: State) => Transition): Transition {
  const after = next(before.state);
  return {
    state: after.state,
    decisions: joined(before.decisions, after.decisions),
    commands: joined(before.commands, after.commands),
  };
}

/** Most parts decide and order nothing. */
function joined<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  if (before.length === 0) return after;
  return after.length === 0 ? before : [...before, ...after];
}

export function withDecisions(transition: Transition, ...decisions: Decision[]): Transition {
  const { state, commands } = transition;
  return { state, decisions: joined(transition.decisions, decisions), commands };
}

export function withCommands(transition: Transition, ...commands: Command[]): Transition {
  const { state, decisions } = transition;
  return { state, decisions, commands: joined(transition.commands, commands) };
}
