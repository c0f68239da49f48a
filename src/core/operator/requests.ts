import type { Body, Order } from "../../protocol/messages.js";
import type { Decision } from "../commands.js";
import type { OperatorRequest } from "../events.js";
import { firstUpdateOf } from "../grant.js";
import { scheduleOf } from "../schedule-of-run.js";
import { indexAt, startOf } from "../intervention/counting.js";
import { onlineRule } from "../intervention/online-rule.js";
import { decideInterval } from "../intervention/interval.js";
import { blocksLeftFrozen } from "../intervention/schedule.js";
import { standingOf, type Standing } from "../attempt/attempt.js";
import { withParts } from "../parts.js";
import type { Model, OperatorRecord, ReceivedRequest, State } from "../state.js";
import { andThen, stay, withDecisions, type Transition } from "../transition.js";

/** At a boundary: carries out every request that is due, in the order of arrival. */
export function carryOutRequests(state: State): Transition {
  if (state.operator.requests.length === 0) return stay(state);
  const due = state.operator.requests.filter((request) => isDue(state, request));
  const rest = state.operator.requests.filter((request) => !isDue(state, request));
  return due.reduce(
    (transition, request) => andThen(transition, (next) => carryOut(next, request)),
    stay(withOperator(state, { requests: rest })),
  );
}

/** What changes weights waits, after a crash, until the run is where it already was: history is not rewritten. */
function isDue(state: State, { request }: ReceivedRequest): boolean {
  const update = standingOf(state.attempt)?.update ?? 0;
  return (request.at ?? 0) <= update && (!changesWeights(request) || update >= state.progress.frontier);
}

/** By whom the run is being stopped, also where the worker has not come to a boundary since; null while it is not. */
export function stopOrderedBy(state: State): OperatorRecord["interrupted"] {
  return state.operator.interrupted ?? (dueStops(state).length > 0 ? "operator" : null);
}

function dueStops(state: State): readonly ReceivedRequest[] {
  return state.operator.requests.filter((request) => request.request.verb === "stop" && isDue(state, request));
}

/** Where no worker is left to obey: the run ends, and with that the requests to stop it are carried out. */
export function confirmStops(state: State): Transition {
  const stops = dueStops(state);
  const rest = state.operator.requests.filter((request) => !stops.includes(request));
  const update = standingOf(state.attempt)?.update ?? 0;
  const done = stops.map(({ id }): Decision => ({ type: "operator/applied", id, update }));
  return withDecisions(stay(withOperator(state, { requests: rest, interrupted: stopOrderedBy(state) })), ...done);
}

function changesWeights({ verb }: OperatorRequest): boolean {
  return verb === "unfreeze" || verb === "set-lr";
}

/** Why this model's worker cannot do it before `update`, or null. */
export function impossibility(model: Model, request: OperatorRequest, update: number): string | null {
  const { numUpdates, canCheckpoint, canEvaluate } = model;
  if (request.verb === "evaluate" && !canEvaluate) return "this worker cannot evaluate";
  if (request.verb === "checkpoint" && !canCheckpoint) return "this worker cannot write a checkpoint";
  const late = numUpdates !== null && changesWeights(request) && update > numUpdates;
  return late ? `the run ends after update ${numUpdates}` : null;
}

/** Why nothing can be unfrozen before `update` yet, or null. */
export function prematurity({ config }: State, request: OperatorRequest, update: number): string | null {
  const start = startOf(config.intervention);
  if (request.verb !== "unfreeze" || update >= start) return null;
  return `nothing is frozen before update ${start}, where the intervention starts`;
}

function carryOut(state: State, { id, request }: ReceivedRequest): Transition {
  const { model } = state;
  const standing = standingOf(state.attempt);
  if (standing === null || model === null) return stay(state);
  const { update } = standing;
  const why = impossibility(model, request, update) ?? prematurity(state, request, update);
  if (why !== null) return withDecisions(stay(state), { type: "operator/refused", id, why });
  const done: Decision = { type: "operator/applied", id, update };
  switch (request.verb) {
    case "pause":
      return withDecisions(stay(withOperator(state, { paused: true })), done);
    case "continue":
      return withDecisions(stay(withOperator(state, { paused: false })), done);
    case "stop":
      return withDecisions(stay(withOperator(state, { interrupted: "operator" })), done);
    case "checkpoint":
      return state.weights.checkpoints.some((checkpoint) => checkpoint.step === update - 1)
        ? withDecisions(stay(state), done)
        : stay(withOrder(state, id, "checkpoint"));
    case "evaluate":
      return stay(withOrder(state, id, "evaluate"));
    case "set-lr": {
      const change = { kind: "learningRate", update, factor: request.factor } as const;
      return stay(unconfirmed(withOperator(state, { changes: [...state.operator.changes, change] }), id, update));
    }
    case "unfreeze":
      return unfreeze(state, model, id, update);
  }
}

function withOperator(state: State, changed: Partial<OperatorRecord>): State {
  return withParts(state, { operator: { ...state.operator, ...changed } });
}

function withOrder(state: State, id: string, order: Order): State {
  return withOperator(state, { orders: [...state.operator.orders, { id, order }] });
}

function unconfirmed(state: State, id: string, update: number): State {
  return withOperator(state, { unconfirmed: [...state.operator.unconfirmed, { id, update }] });
}

/** Before k is decided, unfreezing decides k, counted from the start; later it takes the next block early and leaves k. */
function unfreeze(state: State, model: Model, id: string, update: number): Transition {
  const { intervention } = state.config;
  const rule = onlineRule(intervention);
  if (rule !== null && state.interval === null) {
    const { signal } = rule;
    const interval = { k: indexAt(intervention, update), source: "operator", signal, decidedAt: update } as const;
    const why = "the operator decided";
    return decideInterval(unconfirmed(state, id, update), { ...interval, kOffline: null, kOfflineReason: why });
  }
  if (blocksLeftFrozen(scheduleOf(state, model), model, update).length === 0) {
    return withDecisions(stay(state), { type: "operator/refused", id, why: "no block is frozen any more" });
  }
  const change = { kind: "unfreeze", update } as const;
  return stay(unconfirmed(withOperator(state, { changes: [...state.operator.changes, change] }), id, update));
}

/** The worker has carried out its grant: the changes and orders that rode in it are confirmed, others still wait. */
export function confirmApplied(state: State, standing: Standing, grant: Body<"grant">): Transition {
  const { update } = standing;
  const from = firstUpdateOf(standing, grant);
  const confirmed = [
    ...state.operator.unconfirmed.filter((entry) => entry.update <= from),
    ...state.operator.orders.filter((entry) => grant.orders.includes(entry.order)),
  ].map((entry) => entry.id);
  if (confirmed.length === 0) return stay(state);
  const isOpen = ({ id }: { readonly id: string }): boolean => !confirmed.includes(id);
  const next = withOperator(state, {
    unconfirmed: state.operator.unconfirmed.filter(isOpen),
    orders: state.operator.orders.filter(isOpen),
  });
  return withDecisions(stay(next), ...confirmed.map((id): Decision => ({ type: "operator/applied", id, update })));
}
