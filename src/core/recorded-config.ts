import type { RunConfig } from "../config/attached.js";
import type { Config } from "../config/schema.js";

/**
 * A journal holds the configuration as it was when the run began. Keys that have come since get the value that means
 * what runs did before there was a choice, so that an old journal reduces as it always did.
 */
export function completeConfig<C extends RunConfig>(recorded: C): C {
  const schedule = { order: "top_down", first_unfreeze: "next", unfreeze: "gradual" } as const;
  const before = { ...schedule, frozen_batch_norm: "track", start: 1 } as const;
  const intervention = { ...before, ...recorded.intervention };
  const bounded: Partial<RunConfig["probe"]> = { cache_gib: 1 };
  const probe = { ...bounded, ...recorded.probe };
  if (recorded.script !== undefined) return { ...recorded, intervention, probe };
  const unclipped: Partial<Config["train"]> = { max_gradient_norm: null };
  const unvalidated: Partial<Config["evaluate"]> = { every: null, keep: "last" };
  const train = { ...unclipped, ...recorded.train };
  const evaluate = { ...unvalidated, ...recorded.evaluate };
  return { ...recorded, intervention, probe, train, evaluate };
}
