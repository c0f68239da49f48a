import { z } from "zod";
import { MOST_RECORDED } from "../metrics.js";
import { characters, count, metricValue, name, recordedName, seconds, update } from "./values.js";

/* What the bodies of several messages hold, or one of them among much else. */

/** Of the head and of each block, as in `ready`; null where nothing of it is in scope. */
const ofBlocks = z.array(metricValue.nullable()).max(128);
export const metric = z.strictObject({
  key: name,
  value: metricValue,
  standard_error: metricValue.nullable().default(null),
  change_standard_error: metricValue.nullable().default(null),
  span_standard_error: metricValue.nullable().default(null),
  seconds,
  blocks: z.strictObject({ values: ofBlocks, seconds, standard_errors: ofBlocks.optional() }).optional(),
});

/** What a script recorded since the boundary before, the last value of each name. */
export const recorded = z
  .array(
    z.strictObject({ name: recordedName, value: metricValue, standard_error: metricValue.nullable().default(null) }),
  )
  .max(MOST_RECORDED)
  .optional();

/** A mean over examples, and its standard error; null where there is only one. */
export const meanLoss = z.strictObject({ value: metricValue, standard_error: metricValue.nullable() });

export const spentSeconds = z.strictObject({
  train: seconds,
  probe: seconds,
  wait: seconds,
  evaluate: seconds,
  checkpoint: seconds,
});

/** Blocks released before update `since`: in update i of the next `num_updates` rates are times (i - since + 1) / num_updates. */
export const warmingUp = z
  .array(z.strictObject({ blocks: z.array(name).max(1024), since: update, num_updates: z.int().min(2) }))
  .max(1024);

/** What was decided so far and cannot be told from the weights: a script keeps it beside its own checkpoint. */
export const decided = z.strictObject({
  interval: z
    .strictObject({
      k: update,
      source: z.enum(["online", "fixed", "cap", "operator"]),
      signal: name.nullable(),
      decided_at: count,
      k_offline: update.nullable(),
      k_offline_reason: characters(256).nullable(),
    })
    .nullable(),
  operator: z.strictObject({ unfreezes: z.array(update).max(1024), learning_rate_factor: z.number().nonnegative() }),
  probe_every: update.optional(),
});

/** What a script's own checkpoint says of the run that it comes from. */
export const resumed = z.strictObject({
  run: name,
  trainable: z.array(name).max(1024),
  learning_rate_factor: z.number().nonnegative(),
  decided,
  warming_up: warmingUp.optional(),
});

export const point = metric.omit({ key: true, blocks: true }).extend({ update });
