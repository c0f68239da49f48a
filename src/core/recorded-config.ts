import type { RunConfig } from "../config/attached.js";

/**
 * A journal holds the configuration as it was when the run began. Keys that have come since get the value that means
 * what runs did before there was a choice, so that an old journal reduces as it always did.
 */
export function completeConfig<C extends RunConfig>(recorded: C): C {
  const schedule = { order: "top_down", first_unfreeze: "next", unfreeze: "gradual" } as const;
  const before = { ...schedule, frozen_batch_norm: "track", start: 1 } as const;
  const intervention = { ...before, ...recorded.intervention };
  const unclipped: Partial<typeof recorded.train> = { max_gradient_norm: null };
  const unvalidated: Partial<typeof recorded.evaluate> = { every: null, keep: "last" };
  const { train, evaluate } = recorded;
  if (train === undefined || evaluate === undefined) return { ...recorded, intervention };
  return {
    ...recorded,
    intervention,
    train: { ...unclipped, ...train },
    evaluate: { ...unvalidated, ...evaluate },
  };
}
