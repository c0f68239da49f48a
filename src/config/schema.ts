import { z } from "zod";
import { checkpoint } from "./schema/checkpoint.js";
import { data, resolvedData } from "./schema/data.js";
import { device, resolvedDevice } from "./schema/device.js";
import { evaluate, resolvedEvaluate } from "./schema/evaluate.js";
import { atLeast } from "./schema/fields.js";
import { intervention, resolvedIntervention, type ParsedIntervention } from "./schema/intervention.js";
import { model, resolvedModel } from "./schema/model.js";
import { probe, resolvedProbe } from "./schema/probe.js";
import { resolvedSupervision, supervision } from "./schema/supervision.js";
import { resolvedTrain, train } from "./schema/train.js";

/**
 * Every configuration key, once, a section a file in schema/: its type, bounds, default and meaning. Keys are
 * snake_case everywhere, also in the TypeScript types, because the same mapping is written to config.yaml and journaled.
 *
 * Three forms. `configInputSchema` has all that a person may write (words such as `auto` and `bundled`, keys left out).
 * A section in which some keys decide what others mean has a form for each case, and a configuration is checked by
 * those that fit it (forms.ts), so that no key in it is without effect. `configSchema` is what a run uses: everything
 * fixed, so that a resumed run cannot come out differently.
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
  intervention: intervention.prefault({ kind: "gradual_unfreezing" }),
  evaluate: evaluate.prefault({}),
  checkpoint: checkpoint.prefault({}),
  device: device.prefault({}),
  supervision: supervision.prefault({}),
});

export const configSchema = z.strictObject({
  ...run,
  model: resolvedModel,
  data: resolvedData,
  train: resolvedTrain,
  probe: resolvedProbe,
  intervention: resolvedIntervention,
  evaluate: resolvedEvaluate,
  checkpoint,
  device: resolvedDevice,
  supervision: resolvedSupervision,
});

/** What a person may write, with defaults left out. */
export type ConfigInput = z.input<typeof configInputSchema>;
/** What a run uses. */
export type Config = z.output<typeof configSchema>;

type Written = z.output<typeof configInputSchema>;
/** What a person wrote, with the defaults of the keys that have an effect filled in, and no others. */
export type ParsedConfig = Omit<Written, "probe" | "intervention" | "evaluate" | "device" | "supervision" | "train"> & {
  readonly probe: Config["probe"];
  readonly intervention: ParsedIntervention;
  readonly evaluate: Omit<Config["evaluate"], "ood"> & { readonly ood?: Written["evaluate"]["ood"] };
  readonly device: Omit<Written["device"], "shared"> & { readonly shared?: boolean };
  readonly supervision: Config["supervision"];
  readonly train: Config["train"];
};

export { METRICS, SIGNALS, type Metric, type Signal } from "../metrics.js";
export type { Intervention, InterventionKind } from "./schema/intervention.js";
export type { MeasuredProbe } from "./schema/probe.js";
export type { Source } from "./schema/text-data.js";
export type { Schedule } from "./schema/train.js";
