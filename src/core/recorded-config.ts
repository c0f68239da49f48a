import type { Config } from "../config/schema.js";

/**
 * A journal holds the configuration as it was when the run began. Keys of the intervention that have come since get
 * the value that means what runs did before there was a choice, so that an old journal reduces as it always did.
 */
export function completeConfig(recorded: Config): Config {
  const schedule = { order: "top_down", first_unfreeze: "next", unfreeze: "gradual" } as const;
  const before = { ...schedule, frozen_batch_norm: "track" } as const;
  return { ...recorded, intervention: { ...before, ...recorded.intervention } };
}
