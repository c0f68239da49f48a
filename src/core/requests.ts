import type { Body, Order } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import type { OperatorCommand } from "./events.js";
import { awaitsInterval, firstUpdateOf, scheduleOf } from "./grant.js";
import { indexAt, startOf } from "./counting.js";
import { decideInterval } from "./interval.js";
import { blocksLeftFrozen } from "./schedule.js";
import type { Attempt, Model, OperatorRequest, State } from "./state.js";
import { andThen, stay, withDecisions, type Transition } from "./transition.js";

/** At a boundary: carries out every request that is due, in the order of arrival. */
export function carryOutRequests(state: State): Transition {
  const due = state.operatorRequests.filter((request) => isDue(state, request));
  const rest = state.operatorRequests.filter((request) => !isDue(state, request));
  return due.reduce(
    (transition, request) => andThen(transition, (next) => carryOut(next, request)),
    stay({ ...state, operatorRequests: rest }),
  );
}

/** What changes weights waits, after a crash, until the run is where it already was: history is not rewritten. */
function isDue(state: State, { command }: OperatorRequest): boolean {
  const update = state.attempt?.update ?? 0;
  return (command.at ?? 0) <= update && (!changesWeights(command) || update >= state.frontier);
}

function changesWeights({ verb }: OperatorCommand): boolean {
  return verb === "unfreeze" || verb === "set-lr";
}

/** Why this model's worker cannot do it before `update`, or null. */
export function impossibility(model: Model, command: OperatorCommand, update: number): string | null {
  const { numUpdates, canCheckpoint, canEvaluate } = model;
  if (command.verb === "evaluate" && !canEvaluate) return "this worker cannot evaluate";
  if (command.verb === "checkpoint" && !canCheckpoint) return "this worker cannot write a checkpoint";
  const late = numUpdates !== null && changesWeights(command) && update > numUpdates;
  return late ? `the run ends after update ${numUpdates}` : null;
}

/** Why nothing can be unfrozen before `update` yet, or null. */
export function prematurity({ config }: State, command: OperatorCommand, update: number): string | null {
  const start = startOf(config.intervention);
  if (command.verb !== "unfreeze" || update >= start) return null;
  return `nothing is frozen before update ${start}, where the intervention starts`;
}

function carryOut(state: State, { id, command }: OperatorRequest): Transition {
  const { attempt, model } = state;
  if (attempt === null || model === null) return stay(state);
  const { update } = attempt;
  const why = impossibility(model, command, update) ?? prematurity(state, command, update);
  if (why !== null) return withDecisions(stay(state), { type: "operator/refused", id, why });
  const done: Decision = { type: "operator/applied", id, update };
  switch (command.verb) {
    case "pause":
      return withDecisions(stay({ ...state, paused: true }), done);
    case "continue":
      return withDecisions(stay({ ...state, paused: false }), done);
    case "stop":
      return withDecisions(stay({ ...state, interrupted: "operator" }), done);
    case "checkpoint":
      return state.checkpoints.some((checkpoint) => checkpoint.step === update - 1)
        ? withDecisions(stay(state), done)
        : stay(withOrder(state, id, "checkpoint"));
    case "evaluate":
      return stay(withOrder(state, id, "evaluate"));
    case "set-lr": {
      const change = { kind: "learningRate", update, factor: command.factor } as const;
      return stay(unconfirmed({ ...state, operatorChanges: [...state.operatorChanges, change] }, id, update));
    }
    case "unfreeze":
      return unfreeze(state, model, id, update);
  }
}

function withOrder(state: State, id: string, order: Order): State {
  return { ...state, operatorOrders: [...state.operatorOrders, { id, order }] };
}

function unconfirmed(state: State, id: string, update: number): State {
  return { ...state, unconfirmed: [...state.unconfirmed, { id, update }] };
}

/** Before k is decided, unfreezing decides k, counted from the start; later it takes the next block early and leaves k. */
function unfreeze(state: State, model: Model, id: string, update: number): Transition {
  if (awaitsInterval(state)) {
    const { intervention } = state.config;
    const { signal } = intervention;
    const interval = { k: indexAt(intervention, update), source: "operator", signal, decidedAt: update } as const;
    const why = "the operator decided";
    return decideInterval(unconfirmed(state, id, update), { ...interval, kOffline: null, kOfflineReason: why });
  }
  if (blocksLeftFrozen(scheduleOf(state, model), model, update).length === 0) {
    return withDecisions(stay(state), { type: "operator/refused", id, why: "no block is frozen any more" });
  }
  const change = { kind: "unfreeze", update } as const;
  return stay(unconfirmed({ ...state, operatorChanges: [...state.operatorChanges, change] }, id, update));
}

/** The worker has carried out its grant: the changes and orders that rode in it are confirmed, others still wait. */
export function confirmApplied(state: State, attempt: Attempt, grant: Body<"grant">): Transition {
  const { update } = attempt;
  const from = firstUpdateOf(attempt, grant);
  const confirmed = [
    ...state.unconfirmed.filter((entry) => entry.update <= from),
    ...state.operatorOrders.filter((entry) => grant.orders.includes(entry.order)),
  ].map((entry) => entry.id);
  const isOpen = ({ id }: { readonly id: string }): boolean => !confirmed.includes(id);
  const next: State = {
    ...state,
    unconfirmed: state.unconfirmed.filter(isOpen),
    operatorOrders: state.operatorOrders.filter(isOpen),
  };
  return withDecisions(stay(next), ...confirmed.map((id): Decision => ({ type: "operator/applied", id, update })));
}
