import { expect, it } from "vitest";
import { measuredBy } from "../../../src/core/measured.js";
import { loadConfig } from "../../../src/config/layers/load.js";

/** XLM-R base, in float32. */
const BYTES_PER_TOKEN = 768 * 4;

it.each(["squad-xlmr-lora", "mnli-xlmr-lora"])("keeps all that the frozen layers of %s give", (preset) => {
  const config = loadConfig({ source: preset, overrides: [], env: {}, cwd: "/" });
  if (!("max_length" in config.data)) throw new Error(`${preset} is not about text`);
  const probe = measuredBy(config)!;
  const bytes = probe.points! * config.data.max_length * BYTES_PER_TOKEN;
  expect(bytes).toBeGreaterThan(2 ** 29);
  // The search of sharpness_worst in bfloat16 keeps its own, of half the size.
  expect(1.5 * bytes).toBeLessThanOrEqual(probe.cache_gib * 2 ** 30);
});
