import { z } from "zod";
import { checkpoint } from "./schema/checkpoint.js";
import { data, resolvedData } from "./schema/data.js";
import { device } from "./schema/device.js";
import { evaluate, ood } from "./schema/evaluate.js";
import { atLeast } from "./schema/fields.js";
import { intervention } from "./schema/intervention.js";
import { model, resolvedModel } from "./schema/model.js";
import { probe } from "./schema/probe.js";
import { supervision } from "./schema/supervision.js";
import { train } from "./schema/train.js";

/**
 * Every configuration key, once, a section a file in schema/: its type, bounds, default and meaning. Keys are
 * snake_case everywhere, also in the TypeScript types, because the same mapping is written to config.yaml, journaled
 * and sent to the worker.
 *
 * Two forms: `configInputSchema` is what a person writes (words such as `auto` and `bundled`, keys left out),
 * `configSchema` what a run uses (everything fixed, so that a resumed run cannot come out differently).
 */

const run = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "expected a name of up to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
    })
    .describe("Name of the run; begins the name of its folder. Default: the file's or the preset's name."),
  seed: atLeast(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe("Seed of weights, data order and probes."),
};

export const configInputSchema = z.strictObject({
  ...run,
  model,
  data,
  train,
  probe: probe.prefault({}),
  intervention: intervention.prefault({}),
  evaluate: evaluate.prefault({}),
  checkpoint: checkpoint.prefault({}),
  device: device.prefault({}),
  supervision: supervision.prefault({}),
});

export const configSchema = z.strictObject({
  ...run,
  model: resolvedModel,
  data: resolvedData,
  train,
  probe,
  intervention: intervention.extend({ tau: atLeast(2) }),
  evaluate: evaluate.extend({ ood }),
  checkpoint,
  device: device.extend({ threads: atLeast(1) }),
  supervision,
});

/** What a person may write, with defaults left out. */
export type ConfigInput = z.input<typeof configInputSchema>;
/** What a person wrote, with defaults filled in. */
export type ParsedConfig = z.output<typeof configInputSchema>;
/** What a run uses. */
export type Config = z.output<typeof configSchema>;

export { METRICS, SIGNALS, type Signal } from "./schema/probe.js";
export type { Source } from "./schema/text-data.js";
export type { Schedule } from "./schema/train.js";
