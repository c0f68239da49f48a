import type { Body, Order } from "../protocol/messages.js";
import {
  deriveSchedule,
  lastMultiple,
  learningRateFactorAt,
  nextChangeAfter,
  trainableAt,
  type Schedule,
} from "./schedule.js";
import type { Decision } from "./commands.js";
import type { Attempt, Model, State } from "./state.js";
import type { Transition } from "./transition.js";

/** The schedule of a run whose model is known. */
export function scheduleOf(state: State, model: Model): Schedule {
  return deriveSchedule({
    intervention: state.config.intervention,
    model,
    interval: state.interval,
    operatorChanges: state.operatorChanges,
    seed: state.config.seed,
  });
}

/**
 * A grant from the boundary before `update`. Length zero (`until = update`) keeps the state of the update before,
 * since nothing of `update` itself may happen yet.
 */
export function composeGrant(
  state: State,
  model: Model,
  update: number,
  orders: Order[],
  stay: boolean,
): Body<"grant"> {
  const schedule = scheduleOf(state, model);
  const until = stay ? update : nextBoundary(state, model, update);
  const first = stay ? update - 1 : update;
  return {
    until,
    trainable: trainableAt(schedule, first),
    learning_rate_factor: learningRateFactorAt(schedule, first),
    orders,
    probe: until === null || isMeasured(state, until) ? [] : metricsAt(state, until),
  };
}

/** Sends a grant and announces what it changes; recovery passes the same changes again without announcing them. */
export function grantFrom(state: State, attempt: Attempt, grant: Body<"grant">): Transition {
  const held = { trainable: grant.trainable, factor: grant.learning_rate_factor };
  const from = firstUpdateOf(attempt, grant);
  const known = state.announced !== null && from < state.announced.update;
  const changes = state.announced === null || known ? [] : changesBetween(state.announced, { update: from, ...held });
  const granted: State = {
    ...state,
    attempt: { ...attempt, stage: "training", grant, held, applied: false },
    announced: state.announced === null || changes.length > 0 ? { update: from, ...held } : state.announced,
  };
  const command = { type: "worker/grant", attempt: attempt.number, body: grant } as const;
  return { state: granted, decisions: changes, commands: [command] };
}

/** The update whose mask and factor a grant carries: one of length zero keeps those of the update before. */
export function firstUpdateOf(attempt: Attempt, grant: Body<"grant">): number {
  return grant.until === attempt.update ? attempt.update - 1 : attempt.update;
}

function changesBetween(last: NonNullable<State["announced"]>, next: NonNullable<State["announced"]>): Decision[] {
  const { update, factor } = next;
  const before = new Set(last.trainable);
  const blocks = next.trainable.filter((name) => !before.has(name));
  const unfrozen: Decision[] = blocks.length === 0 ? [] : [{ type: "block/unfrozen", update, blocks }];
  return factor === last.factor ? unfrozen : [...unfrozen, { type: "learningRate/changed", update, factor }];
}

/** Whether the present attempt has what boundary `update` is to be measured for; a fresh attempt measures again. */
export function isMeasured(state: State, update: number): boolean {
  return metricsAt(state, update).length === 0 || state.attempt?.measuredAt === update;
}

/** The next update before which the worker must stop; null when none is foreseen and the run has no known end. */
export function nextBoundary(state: State, model: Model, update: number): number | null {
  const { probe, checkpoint } = state.config;
  const nextPoint = nextMultiple(probe.every, update);
  const candidates = [
    metricsAt(state, nextPoint).length > 0 ? nextPoint : null,
    nextChangeAfter(scheduleOf(state, model), update),
    model.canCheckpoint ? nextMultiple(checkpoint.every, update) : null,
    awaitsInterval(state) ? latestInterval(state, model) : null,
    state.frontier,
    ...state.operatorRequests.map((request) => request.command.at ?? null),
    model.numUpdates === null ? null : model.numUpdates + 1,
  ];
  const end = model.numUpdates === null ? null : model.numUpdates + 1;
  const later = candidates.filter((c): c is number => c !== null && c > update && (end === null || c <= end));
  return later.length === 0 ? null : later.reduce((a, b) => (a < b ? a : b));
}

function nextMultiple(of: number, after: number): number {
  return after - (after % of) + of;
}

/** Names of the metrics to measure at boundary `update`: at update 1 and at multiples of `probe.every`, as long as they are wanted. */
export function metricsAt(state: State, update: number): string[] {
  const { every, until, metrics } = state.config.probe;
  if (update !== 1 && update % every !== 0) return [];
  const wanted =
    until === "end" || (until === "decision" ? awaitsInterval(state) || update <= decidedAt(state) : update <= until);
  return wanted ? [...metrics] : [];
}

/** Whether k is still to be found by the online rule. */
export function awaitsInterval(state: State): boolean {
  const { kind, k } = state.config.intervention;
  return kind !== "none" && k === "online" && state.interval === null;
}

function decidedAt(state: State): number {
  return state.interval?.decidedAt ?? 0;
}

/** Where one change is all there is, it comes in the first quarter of the run: the early period. */
const EARLY_SHARE = 4;

/**
 * k_max: the last update at which the online rule may decide. By default the largest k for which the last block is
 * still unfrozen within the run, floor(N / blocks); floor(N / 4) where there is a single change (a learning-rate switch,
 * all blocks at once). Rounded down to a probe boundary where that leaves one.
 */
export function latestInterval(state: State, model: Model): number | null {
  const { intervention, probe } = state.config;
  if (intervention.k_max !== null) return intervention.k_max;
  if (model.numUpdates === null) return null;
  const single = intervention.kind === "learning_rate_switch" || intervention.unfreeze === "all_at_once";
  const share = Math.floor(model.numUpdates / (single ? EARLY_SHARE : lastMultiple(intervention, model.blocks.length)));
  const rounded = share - (share % probe.every);
  return Math.max(1, rounded > 0 ? rounded : share);
}

/** Orders that are due at this boundary and whose result is not in the journal yet. */
export function dueOrders(state: State, model: Model, update: number): Order[] {
  const atEnd = model.numUpdates !== null && update === model.numUpdates + 1;
  const saved = state.checkpoints.some((checkpoint) => checkpoint.step === update - 1);
  const asked = new Set(state.operatorOrders.map((entry) => entry.order));
  const orders: Order[] = [];
  const checkpointDue = atEnd || update % state.config.checkpoint.every === 0 || asked.has("checkpoint");
  if (model.canCheckpoint && checkpointDue && !saved) orders.push("checkpoint");
  const evaluateDue = (atEnd && !state.evaluatedAt.includes(update)) || asked.has("evaluate");
  if (model.canEvaluate && evaluateDue) orders.push("evaluate");
  return orders;
}
