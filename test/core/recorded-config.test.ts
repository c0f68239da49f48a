import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.js";
import { completeConfig } from "../../src/core/recorded-config.js";
import { simulatedConfig } from "./simulated-run.js";

/** As a version wrote it that did not know these keys of a section yet. */
function without(
  config: Config,
  section: "intervention" | "probe" | "train" | "evaluate",
  keys: readonly string[],
): Config {
  const kept = Object.entries(config[section]).filter(([key]) => !keys.includes(key));
  return { ...config, [section]: Object.fromEntries(kept) };
}

describe("fills in what an old journal could not say, and changes nothing else", () => {
  it.each([
    ["intervention", ["order", "first_unfreeze", "unfreeze", "frozen_batch_norm", "start"]],
    ["probe", ["cache_gib"]],
    ["train", ["max_gradient_norm"]],
    ["evaluate", ["every", "keep"]],
  ] as const)("of %s", (section, since) => {
    const config = simulatedConfig("probe.cache_gib=1");
    expect(completeConfig(without(config, section, since))).toEqual(config);
  });
});

it("keeps what a journal says", () => {
  const config = simulatedConfig("intervention.order=bottom_up", "intervention.unfreeze=all_at_once");
  expect(completeConfig(config)).toEqual(config);
});
