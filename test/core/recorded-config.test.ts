import { expect, it } from "vitest";
import type { Config } from "../../src/config/schema.js";
import { completeConfig } from "../../src/core/recorded-config.js";
import { simulatedConfig } from "./simulated-run.js";

/** As a version wrote it that did not know these keys yet. */
function without(config: Config, ...keys: (keyof Config["intervention"])[]): Config {
  const kept = Object.entries(config.intervention).filter(
    ([key]) => !keys.includes(key as keyof Config["intervention"]),
  );
  return { ...config, intervention: Object.fromEntries(kept) as Config["intervention"] };
}

it("fills in what an old journal could not say, and changes nothing else", () => {
  const config = simulatedConfig();
  const since = ["order", "first_unfreeze", "unfreeze", "frozen_batch_norm", "start"] as const;
  expect(completeConfig(without(config, ...since))).toEqual(config);
});

it("keeps what a journal says", () => {
  const config = simulatedConfig("intervention.order=bottom_up", "intervention.unfreeze=all_at_once");
  expect(completeConfig(config)).toEqual(config);
});
