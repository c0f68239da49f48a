import type { Config } from "../config/schema.js";
import { unfreezingOrder } from "./block-order.js";
import { startOf, updateAt } from "./counting.js";
import type { Interval, Model, OperatorChange } from "./state.js";

/** Everything that ever changes the trainable mask or the learning-rate factor, by the update in which it takes effect. */
export interface Schedule {
  /** What trains before blocks are frozen: everything. */
  readonly all: readonly string[];
  /** The update in which blocks are frozen; 0 where that is so from the beginning, or none ever is. */
  readonly frozenFrom: number;
  /** What trains from there on, before anything is unfrozen. */
  readonly initial: readonly string[];
  readonly releases: readonly { readonly update: number; readonly block: string }[];
  readonly factors: readonly { readonly update: number; readonly factor: number }[];
}

export interface ScheduleInput {
  readonly intervention: Config["intervention"];
  readonly model: Model;
  readonly interval: Interval | null;
  readonly operatorChanges: readonly OperatorChange[];
  /** The run's seed, for a random order. */
  readonly seed: number;
}

/** The schedule as far as it is decided. Derived, never stored: recovery derives it again and gets the same. */
export function deriveSchedule(input: ScheduleInput): Schedule {
  const { intervention, model } = input;
  const all = [model.head.name, ...model.blocks.map((block) => block.name)];
  const factors = learningRateFactors(input);
  if (intervention.kind !== "gradual_unfreezing") return { all, frozenFrom: 0, initial: all, releases: [], factors };
  const fromStart = model.blocks.filter((block) => block.trainableFromStart).map((block) => block.name);
  const initial = [model.head.name, ...fromStart];
  return { all, frozenFrom: beginsIn(intervention), initial, releases: releases(input), factors };
}

/** The blocks to be unfrozen, from the top down: the L of Algorithm 1 counts no block that trains from the start. */
export function releasedBlocks({ blocks }: Model): Model["blocks"] {
  return blocks.filter((block) => !block.trainableFromStart);
}

/** The update in which the intervention begins. 0 stands for the state in which a run begins, before update 1. */
function beginsIn(intervention: Config["intervention"]): number {
  const start = startOf(intervention);
  return start === 1 ? 0 : start;
}

/**
 * Algorithm 1: before update i the next block from the top is unfrozen if i mod k = 0 and i <= k L, with i counted from
 * the start of the intervention. An operator's unfreezing takes the next block early and leaves k, so later multiples
 * of k find fewer blocks left.
 */
function releases({ intervention, model, interval, operatorChanges, seed }: ScheduleInput): Schedule["releases"] {
  const blocks = releasedBlocks(model);
  const scheduled =
    interval === null
      ? []
      : blocks.map((_, index) => updateAt(intervention, multipleFor(intervention, index) * interval.k));
  const byOperator = operatorChanges.filter((change) => change.kind === "unfreeze").map((change) => change.update);
  const updates = [...scheduled, ...byOperator].sort((a, b) => a - b);
  return unfreezingOrder(blocks, intervention.order, seed).flatMap((block, index) => {
    const update = updates[index];
    return update === undefined ? [] : [{ update, block }];
  });
}

/**
 * Which multiple of k unfreezes the block at `index` of the order. Deviation `paper41`: the released code of the paper's
 * reference [41] spends its first multiple on a block that is trained already, so the first new one comes at 2k.
 */
function multipleFor({ first_unfreeze: first, unfreeze }: Config["intervention"], index: number): number {
  return (unfreeze === "all_at_once" ? 1 : index + 1) + (first === "paper41" ? 1 : 0);
}

/** The multiple of k at which the last block is unfrozen: N updates from the start on have room for k up to N divided by it. */
export function lastMultiple(intervention: Config["intervention"], numBlocks: number): number {
  return multipleFor(intervention, numBlocks - 1);
}

/**
 * The policy's factor (a learning-rate switch) times the operator's last one. A switch that starts later is a period
 * too: before it the run trains as it does after it, at `after`.
 */
function learningRateFactors({ intervention, interval, operatorChanges }: ScheduleInput): Schedule["factors"] {
  const switching = intervention.kind === "learning_rate_switch";
  const [begin, end] = [beginsIn(intervention), interval === null ? Infinity : updateAt(intervention, interval.k)];
  const byPolicy = (update: number): number => {
    if (!switching) return 1;
    return update >= begin && update < end ? intervention.before : intervention.after;
  };
  const byOperator = operatorChanges.filter((change) => change.kind === "learningRate");
  const byStart = switching ? [begin, end].filter((update) => update !== Infinity) : [];
  const changedAt = [0, ...byStart, ...byOperator.map((c) => c.update)];
  const lastOperatorFactor = (update: number): number =>
    byOperator.filter((change) => change.update <= update).at(-1)?.factor ?? 1;
  return [...new Set(changedAt)]
    .sort((a, b) => a - b)
    .map((update) => ({ update, factor: byPolicy(update) * lastOperatorFactor(update) }));
}

/** Names of what trains in update `update`, head first, then blocks in the order of their release. */
export function trainableAt(schedule: Schedule, update: number): string[] {
  if (update < schedule.frozenFrom) return [...schedule.all];
  return [...schedule.initial, ...schedule.releases.filter((r) => r.update <= update).map((r) => r.block)];
}

/**
 * Names of what is trainable while the worker stands before `update`, where nothing of that update may happen yet: what
 * trained in the update before. Where blocks are frozen they are frozen first: a signal's point 0 is measured like the
 * points after it.
 */
export function trainableBefore(schedule: Schedule, update: number): string[] {
  return update === schedule.frozenFrom ? [...schedule.initial] : trainableAt(schedule, update - 1);
}

/** lr(i) = the worker's own schedule(i) times this. */
export function learningRateFactorAt(schedule: Schedule, update: number): number {
  return schedule.factors.filter((change) => change.update <= update).at(-1)?.factor ?? 1;
}

/** The first update after `update` in which mask or factor change, or null. */
export function nextChangeAfter(schedule: Schedule, update: number): number | null {
  const changes = [...schedule.releases, ...schedule.factors].map((change) => change.update);
  const later = [schedule.frozenFrom, ...changes].filter((change) => change > update);
  return later.length === 0 ? null : later.reduce((a, b) => (a < b ? a : b));
}

/** Blocks that a run of `numUpdates` updates leaves frozen to the end. */
export function blocksLeftFrozen(schedule: Schedule, model: Model, numUpdates: number): string[] {
  const trained = new Set(trainableAt(schedule, numUpdates));
  return model.blocks.map((block) => block.name).filter((block) => !trained.has(block));
}

export function countParameters(model: Model, names: readonly string[]): number {
  const sizes = new Map([model.head, ...model.blocks].map((block) => [block.name, block.numParams]));
  return names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
}
