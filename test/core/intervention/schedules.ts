import type { Config } from "../../../src/config/schema.js";
import type { InterventionOf, KindName } from "../../../src/core/intervention/kind.js";
import { deriveSchedule } from "../../../src/core/intervention/kinds.js";
import type { Schedule } from "../../../src/core/intervention/schedule.js";
import type { Interval, Model, OperatorChange } from "../../../src/core/state.js";
import { simulatedConfig } from "../../support/simulated-run.js";

/** Blocks of ten parameters, `b<L>` on top; the first `numFromStart` train with the head from the start. */
export function modelOf(numBlocks: number, numFromStart = 0): Model {
  const blocks = Array.from({ length: numBlocks }, (_, index) => ({
    name: `b${numBlocks - index}`,
    numParams: 10,
    trainableFromStart: index < numFromStart,
  }));
  const abilities = { canCheckpoint: true, canEvaluate: true, canValidate: false, canKeepBest: false };
  const rest = { updatesPerEpoch: null, ...abilities, device: "cpu", threads: 1, microBatch: null, newHead: null };
  return { blocks, head: { name: "head", numParams: 5 }, numUpdates: null, ...rest };
}

/** k as it is where it was fixed; null as long as it is not known. */
export function intervalOf(k: number | null): Interval | null {
  const rest = { source: "fixed", signal: null, decidedAt: 0, kOffline: null, kOfflineReason: null } as const;
  return k === null ? null : { k, ...rest };
}

/** What an intervention of this kind, else as by default, changes. */
export function schedule(
  kind: Config["intervention"]["kind"],
  k: number | null,
  numBlocks = 3,
  operatorChanges: readonly OperatorChange[] = [],
): Schedule {
  const { intervention } = simulatedConfig(`intervention.kind=${kind}`);
  return deriveSchedule({ intervention, model: modelOf(numBlocks), interval: intervalOf(k), operatorChanges, seed: 0 });
}

/** Releases with k = 10 of three blocks, b3 on top, under other settings of the intervention. */
export function releasesWith(...overrides: string[]): string[] {
  const { intervention } = simulatedConfig(...overrides);
  const input = { intervention, model: modelOf(3), interval: intervalOf(10), operatorChanges: [], seed: 7 };
  return deriveSchedule(input).releases.map(({ block, update }) => `${block} at ${update}`);
}

/** An intervention of this kind. */
export function interventionOf<K extends KindName>(kind: K, ...overrides: string[]): InterventionOf<K> {
  return simulatedConfig(`intervention.kind=${kind}`, ...overrides).intervention as InterventionOf<K>;
}
