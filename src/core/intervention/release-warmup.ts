import type { Body } from "../../protocol/messages.js";
import type { Schedule } from "./schedule.js";

/** Blocks that were released before update `since`; in `num_updates` updates from there on their rates rise. */
export type WarmingUp = NonNullable<Body<"grant">["warming_up"]>[number];

/**
 * Release warm-up: in the W updates after its release a block's learning rate is multiplied by i / W (i = 1..W), other
 * blocks' are not. A grant carries what is below 1 in its first update; the worker counts on from there, so that no
 * boundary an update is needed. Ramps overlap where W is larger than k.
 */
export function warmingUpAt({ releases, releaseWarmup }: Schedule, update: number): WarmingUp[] {
  if (releaseWarmup === null) return [];
  const found = new Map<number, string[]>();
  for (const { update: since, block } of releases) {
    const index = update - since + 1;
    if (index < 1 || index >= releaseWarmup) continue;
    found.set(since, [...(found.get(since) ?? []), block]);
  }
  return [...found].map(([since, blocks]) => ({ blocks, since, num_updates: releaseWarmup }));
}

/** What a block's learning rate is multiplied by in `update`, beside the factor of all; 1 where it does not warm up. */
export function rampAt({ since, num_updates: numUpdates }: Omit<WarmingUp, "blocks">, update: number): number {
  return Math.min(update - since + 1, numUpdates) / numUpdates;
}
