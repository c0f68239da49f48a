import type { Config } from "../config/schema.js";

/**
 * A journal holds the configuration as it was when the run began. Keys that the core has come to read since get the
 * value that means what runs did before there was a choice, so that an old journal reduces as it always did.
 */
export function completeConfig(recorded: Config): Config {
  const before = { order: "top_down", first_unfreeze: "next", unfreeze: "gradual" } as const;
  return { ...recorded, intervention: { ...before, ...recorded.intervention } };
}
