import type { Model } from "../state.js";

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
  /** Updates over which the learning rate of a released block rises to its full value; null: it begins with it. */
  readonly releaseWarmup: number | null;
}

/** The mask of a run that freezes nothing. */
export function everythingTrains(model: Model): Omit<Schedule, "factors"> {
  const all = [model.head.name, ...model.blocks.map((block) => block.name)];
  return { all, frozenFrom: 0, initial: all, releases: [], releaseWarmup: null };
}

/** Names of what trains in update `update`, head first, then blocks in the order of their release. */
export function trainableAt(schedule: Schedule, update: number): string[] {
  if (update < schedule.frozenFrom) return [...schedule.all];
  const trainable = [...schedule.initial];
  for (const release of schedule.releases) if (release.update <= update) trainable.push(release.block);
  return trainable;
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
  return schedule.factors.findLast((change) => change.update <= update)?.factor ?? 1;
}

/** The first update after `update` in which mask or factor change, or null. */
export function nextChangeAfter(schedule: Schedule, update: number): number | null {
  let next = schedule.frozenFrom > update ? schedule.frozenFrom : Infinity;
  for (const changes of [schedule.releases, schedule.factors]) {
    for (const change of changes) if (change.update > update && change.update < next) next = change.update;
  }
  return next === Infinity ? null : next;
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
