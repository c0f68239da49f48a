import type { Order } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import { awaitsInterval, scheduleOf } from "./grant.js";
import { decideInterval } from "./interval.js";
import { blocksLeftFrozen } from "./schedule.js";
import type { Model, OperatorRequest, State } from "./state.js";
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
  const changesHistory = command.verb === "unfreeze" || command.verb === "set-lr";
  return (command.at ?? 0) <= update && (!changesHistory || update >= state.frontier);
}

function carryOut(state: State, { id, command }: OperatorRequest): Transition {
  const { attempt, model } = state;
  if (attempt === null || model === null) return stay(state);
  const { update } = attempt;
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

/** Before k is decided, unfreezing decides k; later it takes the next block early and leaves k. */
function unfreeze(state: State, model: Model, id: string, update: number): Transition {
  if (awaitsInterval(state)) {
    const signal = state.config.intervention.signal;
    const interval = { k: update, source: "operator", signal, decidedAt: update } as const;
    const why = "the operator decided";
    return decideInterval(unconfirmed(state, id, update), { ...interval, kOffline: null, kOfflineReason: why });
  }
  if (blocksLeftFrozen(scheduleOf(state, model), model, update).length === 0) {
    return withDecisions(stay(state), { type: "operator/refused", id, why: "no block is frozen any more" });
  }
  const change = { kind: "unfreeze", update } as const;
  return stay(unconfirmed({ ...state, operatorChanges: [...state.operatorChanges, change] }, id, update));
}

/** The worker has carried out the grant that held at `update`: everything that rode in it is confirmed. */
export function confirmApplied(state: State, update: number): Transition {
  const confirmed = state.unconfirmed.filter((entry) => entry.update <= update);
  const ids = [...confirmed.map((entry) => entry.id), ...state.operatorOrders.map((entry) => entry.id)];
  const next: State = {
    ...state,
    unconfirmed: state.unconfirmed.filter((entry) => entry.update > update),
    operatorOrders: [],
  };
  return withDecisions(stay(next), ...ids.map((id): Decision => ({ type: "operator/applied", id, update })));
}
