import fc from "fast-check";
import { expect } from "vitest";
import type { RunConfig } from "../../src/config/attached.js";
import type { OperatorCommand } from "../../src/core/events.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { BLOCKS, type Action } from "./simulated-run.js";

/** Everything that the world may do to a run, in any order. */
export function interleavings(commands: fc.Arbitrary<OperatorCommand>): fc.Arbitrary<Action[]> {
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
    { weight: 3, arbitrary: fc.record({ do: fc.constant("command" as const), command: commands }) },
  );
  return fc.array(action, { maxLength: 40, size: "max" });
}

const at = fc.option(fc.integer({ min: 1, max: 62 }), { nil: undefined });

function withUpdate(verbs: readonly Exclude<OperatorCommand["verb"], "set-lr">[]): fc.Arbitrary<OperatorCommand> {
  return fc
    .tuple(fc.constantFrom(...verbs), at)
    .map(([verb, update]) => (update === undefined ? { verb } : { verb, at: update }));
}

/** Commands that leave the training as it is. */
export const harmlessCommands = withUpdate(["pause", "continue", "evaluate", "checkpoint", "stop"]);

const setRate: fc.Arbitrary<OperatorCommand> = fc
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

export function unfreezesOf({ operatorChanges }: State): number[] {
  return operatorChanges.filter((change) => change.kind === "unfreeze").map((change) => change.update);
}

/** What must hold after every single event, whatever happens. */
export function checkInvariants(record: JournalRecord, before: State, after: State): void {
  const { intervention } = after.config;
  if (before.interval !== null) expect(after.interval).toEqual(before.interval);
  else if (after.interval !== null && intervention.k === "online") {
    expect(after.interval.k).toBe(after.attempt!.update - intervention.start + 1);
    const byRule = after.interval.source !== "operator";
    if (byRule && intervention.k_max !== null) expect(after.interval.k).toBeLessThanOrEqual(intervention.k_max);
  }
  expect((record.decisions ?? []).filter(({ type }) => type === "interval/decided").length).toBeLessThanOrEqual(
    before.interval === null ? 1 : 0,
  );
  for (const command of record.commands ?? []) {
    if (command.type === "worker/grant") checkGrant(after, command.body.until);
  }
}

/** A grant ends at the latest where something is still to be decided, changed or asked for. */
function checkGrant(state: State, until: number | null): void {
  const { config, interval } = state;
  const update = state.attempt!.update;
  const end = config.train!.updates! + 1;
  const stops = [end, state.frontier, ...state.operatorRequests.map(({ command }) => command.at ?? update)];
  const { kind, start, k_max: latest } = config.intervention;
  if (kind !== "none" && interval === null) {
    const points = Array.from({ length: end }, (_, point) => start - 1 + (point + 1) * config.probe.every);
    stops.push(...points, start, latest === null ? end : start - 1 + latest);
  }
  for (let change = update + 1; change <= end; change += 1) {
    if (heldIn(config, state, change) !== heldIn(config, state, change - 1)) stops.push(change);
  }
  expect(until).toBeGreaterThanOrEqual(update);
  expect(until).toBeLessThanOrEqual(stops.filter((stop) => stop > update).reduce((a, b) => Math.min(a, b), end));
}

function heldIn({ intervention }: RunConfig, state: State, update: number): string {
  const k = state.interval?.k ?? null;
  const rates = state.operatorChanges.filter((change) => change.kind === "learningRate" && change.update <= update);
  const { kind, start } = intervention;
  const reduced = update >= start && (k === null || update < start - 1 + k);
  const trainable = kind === "gradual_unfreezing" ? literalTrainable(update, k, unfreezesOf(state), start) : [];
  return JSON.stringify([kind === "learning_rate_switch" && reduced, rates.at(-1), trainable]);
}
