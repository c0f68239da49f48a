import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect } from "vitest";
import type { RunConfig } from "../../src/config/attached.js";
import type { OperatorRequest } from "../../src/core/events.js";
import { startOf } from "../../src/core/intervention/counting.js";
import { onlineRule } from "../../src/core/intervention/online-rule.js";
import { measuredBy } from "../../src/core/measured.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { BLOCKS, type Action } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

/** Everything that the world may do to a run, in any order. */
export function interleavings(commands: fc.Arbitrary<OperatorRequest>): fc.Arbitrary<Action[]> {
  const times = fc.integer({ min: 1, max: 12 });
  const lost = fc.integer({ min: 0, max: 5 });
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("work" as const), times }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("workAlone" as const), times }) },
    { weight: 2, arbitrary: fc.constant<Action>({ do: "hear" }) },
    { weight: 2, arbitrary: fc.constant<Action>({ do: "tell" }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), lost }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), lost }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: "interrupt" }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("request" as const), request: commands }) },
  );
  return fc.array(action, { maxLength: 40, size: "max" });
}

const at = fc.option(fc.integer({ min: 1, max: 62 }), { nil: undefined });

function withUpdate(verbs: readonly Exclude<OperatorRequest["verb"], "set-lr">[]): fc.Arbitrary<OperatorRequest> {
  return fc
    .tuple(fc.constantFrom(...verbs), at)
    .map(([verb, update]) => (update === undefined ? { verb } : { verb, at: update }));
}

/** Commands that leave the training as it is. */
export const harmlessCommands = withUpdate(["pause", "continue", "evaluate", "checkpoint", "stop"]);

const setRate: fc.Arbitrary<OperatorRequest> = fc
  .tuple(fc.constantFrom(0, 0.5, 2), at)
  .map(([factor, update]) => ({ verb: "set-lr", factor, ...(update === undefined ? {} : { at: update }) }));

export const anyCommands = fc.oneof(harmlessCommands, withUpdate(["unfreeze"]), setRate);

/**
 * Algorithm 1, word for word: before update i, if i mod k = 0 and i <= k L, the next block is unfrozen. An operator's
 * unfreezing takes the next block too. Before update `start` everything trains, and i is 1 there.
 */
export function literalTrainable(
  update: number,
  k: number | null,
  operatorUnfreezes: readonly number[],
  start: number,
): string[] {
  if (update < start) return ["head", ...BLOCKS];
  const frozen = [...BLOCKS];
  const trainable = ["head"];
  const unfreezeNext = (): void => {
    const block = frozen.shift();
    if (block !== undefined) trainable.push(block);
  };
  for (let i = 1; i <= update - start + 1; i += 1) {
    operatorUnfreezes.filter((unfreeze) => unfreeze === start - 1 + i).forEach(unfreezeNext);
    if (k !== null && i % k === 0 && i <= k * BLOCKS.length) unfreezeNext();
  }
  return trainable;
}

export function unfreezesOf({ operator: { changes: operatorChanges } }: State): number[] {
  return operatorChanges.filter((change) => change.kind === "unfreeze").map((change) => change.update);
}

/** What must hold after every single event, whatever happens. */
export function checkInvariants(record: JournalRecord, before: State, after: State): void {
  const { intervention } = after.config;
  if (before.interval !== null) mustHold(isDeepStrictEqual(after.interval, before.interval), () => after.interval);
  else if (after.interval !== null && after.interval.source !== "fixed") {
    const rule = onlineRule(intervention)!;
    expect(after.interval.k).toBe(factsOf(after.attempt).update - rule.start + 1);
    const byRule = after.interval.source !== "operator";
    if (byRule && rule.k_max !== null) expect(after.interval.k).toBeLessThanOrEqual(rule.k_max);
  }
  const decided = (record.decisions ?? []).filter(({ type }) => type === "interval/decided");
  mustHold(decided.length <= (before.interval === null ? 1 : 0), () => decided);
  for (const command of record.commands ?? []) {
    if (command.type === "worker/grant") checkGrant(after, command.body.until);
  }
}

/** For what is looked at after every event: an `expect` takes longer than the event. */
function mustHold(holds: boolean, seen: () => unknown): void {
  if (!holds) throw new Error(`an invariant does not hold: ${JSON.stringify(seen())}`);
}

/** A grant ends at the latest where something is still to be decided, changed or asked for. */
function checkGrant(state: State, until: number | null): void {
  const { config, interval } = state;
  const update = factsOf(state.attempt).update;
  const end = config.train!.updates! + 1;
  const stops = [end, state.progress.frontier, ...state.operator.requests.map(({ request }) => request.at ?? update)];
  const rule = onlineRule(config.intervention);
  if (rule !== null && interval === null) {
    const { start, k_max: latest } = rule;
    const points = Array.from({ length: end }, (_, point) => start - 1 + (point + 1) * measuredBy(config)!.every);
    stops.push(...points, start, latest === null ? end : start - 1 + latest);
  }
  const held = heldIn(config, state, update);
  let change = update + 1;
  while (change < end && heldIn(config, state, change) === held) change += 1;
  const latest = [...stops, change].filter((stop) => stop > update).reduce((a, b) => Math.min(a, b), end);
  mustHold(until !== null && update <= until && until <= latest, () => ({ until, update, latest }));
}

function heldIn({ intervention }: RunConfig, state: State, update: number): string {
  const k = state.interval?.k ?? null;
  const rates = state.operator.changes.filter((change) => change.kind === "learningRate" && change.update <= update);
  const { kind } = intervention;
  const start = startOf(intervention);
  const reduced = update >= start && (k === null || update < start - 1 + k);
  const trainable = kind === "gradual_unfreezing" ? literalTrainable(update, k, unfreezesOf(state), start) : [];
  return JSON.stringify([kind === "learning_rate_switch" && reduced, rates.at(-1), trainable]);
}
