import type { Body, Order } from "../protocol/messages.js";
import { awaitsKeeping, awaitsRestoring, awaitsValidation, bestToRestore, validationInterval } from "./best.js";
import { indexAt, startOf, updateAt } from "./counting.js";
import {
  deriveSchedule,
  lastMultiple,
  learningRateFactorAt,
  nextChangeAfter,
  releasedBlocks,
  trainableAt,
  trainableBefore,
  type Schedule,
} from "./schedule.js";
import type { Decision } from "./commands.js";
import { toDecided } from "./decided.js";
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
  // A worker that is to freeze blocks there measures when it has frozen them.
  const measures = until !== null && (stay || until !== schedule.frozenFrom) && !isMeasured(state, until);
  return {
    until,
    trainable: stay ? trainableBefore(schedule, update) : trainableAt(schedule, update),
    learning_rate_factor: learningRateFactorAt(schedule, stay ? update - 1 : update),
    orders,
    probe: measures ? metricsAt(state, until) : [],
    ...(orders.includes("restore_best") ? bestToRestore(state) : {}),
    ...(state.config.script === undefined ? {} : { decided: toDecided(state) }),
  };
}

/** Sends a grant and announces what it changes; recovery passes the same changes again without announcing them. */
export function grantFrom(state: State, attempt: Attempt, grant: Body<"grant">): Transition {
  const held = { trainable: grant.trainable, factor: grant.learning_rate_factor };
  const { announced } = state;
  const known = announced !== null && firstUpdateOf(attempt, grant) < announced.update;
  const next = { update: attempt.update, ...held };
  const changes = announced === null || known ? [] : changesBetween(announced, next);
  const granted: State = {
    ...state,
    attempt: { ...attempt, stage: "training", grant, held, applied: false },
    announced: announced === null || changes.length > 0 ? next : announced,
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
  const onlyIn = (names: readonly string[], others: readonly string[]): string[] =>
    names.filter((name) => !others.includes(name));
  const frozen = onlyIn(last.trainable, next.trainable);
  const unfrozen = onlyIn(next.trainable, last.trainable);
  const changes: Decision[] = [];
  if (frozen.length > 0) changes.push({ type: "block/frozen", update, blocks: frozen });
  if (unfrozen.length > 0) changes.push({ type: "block/unfrozen", update, blocks: unfrozen });
  if (factor !== last.factor) changes.push({ type: "learningRate/changed", update, factor });
  return changes;
}

/** Whether the present attempt has what boundary `update` is to be measured for; a fresh attempt measures again. */
export function isMeasured(state: State, update: number): boolean {
  return metricsAt(state, update).length === 0 || state.attempt?.measuredAt === update;
}

/**
 * Whether the worker stands where blocks are frozen and has yet to do it. It does so in a stay of its own, before a
 * signal is measured and before k = 1 unfreezes the first of them: what it does on freezing (to BatchNorm) is then the
 * same whether k was fixed or is decided there.
 */
export function awaitsFreezing(state: State, model: Model, update: number): boolean {
  const { frozenFrom, initial, all } = scheduleOf(state, model);
  return update === frozenFrom && initial.length < all.length && state.attempt?.held?.trainable.length === all.length;
}

/** The next update before which the worker must stop; null when none is foreseen and the run has no known end. */
export function nextBoundary(state: State, model: Model, update: number): number | null {
  const { intervention, checkpoint } = state.config;
  const latest = awaitsInterval(state) ? latestInterval(state, model) : null;
  const validates = validationInterval(state, model);
  const candidates = [
    nextPointAfter(state, update),
    nextChangeAfter(scheduleOf(state, model), update),
    model.canCheckpoint && checkpoint !== undefined ? nextMultiple(checkpoint.every, update) : null,
    validates === null ? null : nextMultiple(validates, update),
    latest === null ? null : updateAt(intervention, latest),
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

/** The next boundary at which something is to be measured, or null. */
export function nextPointAfter(state: State, update: number): number | null {
  const { intervention, probe } = state.config;
  const index = indexAt(intervention, update);
  const next = updateAt(intervention, index < 1 ? 1 : nextMultiple(probe.every, index));
  return metricsAt(state, next).length > 0 ? next : null;
}

/**
 * Names of the metrics to measure at boundary `update`, as long as they are wanted: at the start of the intervention
 * (point 0) and, counted from there, at multiples of `probe.every`.
 */
export function metricsAt(state: State, update: number): string[] {
  const { every, until, metrics } = state.config.probe;
  const index = indexAt(state.config.intervention, update);
  if (index !== 1 && (index < 1 || index % every !== 0)) return [];
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
 * k_max: the largest k that the online rule may decide. By default the largest one for which the last block is still
 * unfrozen within the run, floor(n / blocks) with n the updates from the start of the intervention on; floor(n / 4)
 * where there is a single change (a learning-rate switch, all blocks at once). Rounded down to a probe boundary where
 * that leaves one.
 */
export function latestInterval(state: State, model: Model): number | null {
  const { intervention, probe } = state.config;
  if (intervention.k_max !== null) return intervention.k_max;
  if (model.numUpdates === null) return null;
  const single = intervention.kind === "learning_rate_switch" || intervention.unfreeze === "all_at_once";
  const left = model.numUpdates - startOf(intervention) + 1;
  const share = Math.floor(left / (single ? EARLY_SHARE : lastMultiple(intervention, releasedBlocks(model).length)));
  const rounded = share - (share % probe.every);
  return Math.max(1, rounded > 0 ? rounded : share);
}

/** Orders that are due at this boundary and whose result is not in the journal yet, in the order of their execution. */
export function dueOrders(state: State, model: Model, update: number): Order[] {
  const atEnd = model.numUpdates !== null && update === model.numUpdates + 1;
  const saved = state.checkpoints.some((checkpoint) => checkpoint.step === update - 1);
  const asked = new Set(state.operatorOrders.map((entry) => entry.order));
  if (awaitsValidation(state, model, update)) return ["validate"];
  const orders: Order[] = [];
  if (awaitsKeeping(state, model, update)) orders.push("keep_best");
  const every = state.config.checkpoint?.every ?? Infinity;
  const checkpointDue = atEnd || update % every === 0 || asked.has("checkpoint");
  if (model.canCheckpoint && checkpointDue && !saved) orders.push("checkpoint");
  if (awaitsRestoring(state, model, update)) orders.push("restore_best");
  const evaluateDue = (atEnd && !state.evaluatedAt.includes(update)) || asked.has("evaluate");
  if (model.canEvaluate && evaluateDue) orders.push("evaluate");
  return orders;
}
