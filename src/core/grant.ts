import type { Body, Order } from "../protocol/messages.js";
import { standingOf, training, type Attempt, type Standing } from "./attempt/attempt.js";
import { toDecided } from "./attempt/script-decisions.js";
import { bestToRestore } from "./best.js";
import type { Decision } from "./commands.js";
import { warmingUpAt } from "./intervention/release-warmup.js";
import { learningRateFactorAt, trainableAt, trainableBefore } from "./intervention/schedule.js";
import { measuredBy } from "./measured.js";
import { isMeasured, metricsAt } from "./measuring.js";
import { nextBoundary } from "./next-boundary.js";
import { withParts } from "./parts.js";
import { scheduleOf } from "./schedule-of-run.js";
import type { Model, State } from "./state.js";
import type { Transition } from "./transition.js";

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
  const warmingUp = warmingUpAt(schedule, first);
  // A worker that is to freeze blocks there measures when it has frozen them.
  const measures = until !== null && (stay || until !== schedule.frozenFrom) && !isMeasured(state, until);
  const trainable = stay ? trainableBefore(schedule, update) : trainableAt(schedule, update);
  const learning_rate_factor = learningRateFactorAt(schedule, first);
  const probe = measures ? metricsAt(state, until) : [];
  // In the order in which they are written. Most grants have nothing more.
  const grant: Body<"grant"> =
    warmingUp.length === 0
      ? { until, trainable, learning_rate_factor, orders, probe }
      : { until, trainable, learning_rate_factor, warming_up: warmingUp, orders, probe };
  const every = otherEvery(state, until);
  if (every !== null) grant.probe_every = every;
  if (orders.includes("restore_best")) Object.assign(grant, bestToRestore(state));
  if (state.config.script !== undefined) grant.decided = toDecided(state);
  return grant;
}

/** From the boundary behind the choice on: what is measured again before it is compared as it was then. */
function otherEvery({ config, signal: { grid } }: State, until: number | null): number | null {
  if (grid === null || grid.every === measuredBy(config)?.every) return null;
  return until === null || until > grid.from ? grid.every : null;
}

/** Sends a grant and announces what it changes; recovery passes the same changes again without announcing them. */
export function grantFrom(
  state: State,
  attempt: Attempt,
  place: Omit<Standing, "held">,
  grant: Body<"grant">,
): Transition {
  const held = { trainable: grant.trainable, factor: grant.learning_rate_factor };
  const { announced } = state;
  const known = announced !== null && firstUpdateOf(place, grant) < announced.update;
  const next = { update: place.update, ...held };
  const changes = announced === null || known ? [] : changesBetween(announced, next);
  const { update, measuredAt, restored } = place;
  const granted = withParts(state, {
    attempt: training(attempt, { update, held, measuredAt, restored }, grant),
    announced: announced === null || changes.length > 0 ? next : announced,
  });
  const command = { type: "worker/grant", attempt: attempt.number, body: grant } as const;
  return { state: granted, decisions: changes, commands: [command] };
}

/** The update whose mask and factor a grant carries: one of length zero keeps those of the update before. */
export function firstUpdateOf({ update }: Pick<Standing, "update">, grant: Body<"grant">): number {
  return grant.until === update ? update - 1 : update;
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

/**
 * Whether the worker stands where blocks are frozen and has yet to do it. It does so in a stay of its own, before a
 * signal is measured and before k = 1 unfreezes the first of them: what it does on freezing (to BatchNorm) is then the
 * same whether k was fixed or is decided there.
 */
export function awaitsFreezing(state: State, model: Model, update: number): boolean {
  const { frozenFrom, initial, all } = scheduleOf(state, model);
  const held = standingOf(state.attempt)?.held;
  return update === frozenFrom && initial.length < all.length && held?.trainable.length === all.length;
}
