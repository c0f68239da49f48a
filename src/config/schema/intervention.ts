import { z } from "zod";
import { atLeast, limit, wordOrInteger } from "./fields.js";
import { SIGNALS } from "./probe.js";

export const intervention = z.strictObject({
  kind: z
    .enum(["gradual_unfreezing", "learning_rate_switch", "none"])
    .default("gradual_unfreezing")
    .describe("What is done to early training; `none` trains everything from the first update."),
  k: wordOrInteger(["online"])
    .default("online")
    .describe("Unfreezing interval, or update of the switch; `online`: decided when the signal stabilizes."),
  signal: z.enum(SIGNALS).default("fisher_trace").describe("Signal that decides k online."),
  tau: atLeast(2)
    .nullable()
    .default(null)
    .describe("Smoothing window in probes; null: 3, and 8 for the sharpness signals."),
  epsilon: z
    .number()
    .positive()
    .lt(1)
    .default(0.02)
    .describe("Largest change of the normalised signal that is stable."),
  k_max: limit("Largest k that is decided online; null: derived from the length of training and the blocks."),
  start: atLeast(1)
    .default(1)
    .describe("First update of the intervention; until then everything trains, and k is counted from there."),
  order: z
    .enum(["top_down", "bottom_up", "random"])
    .default("top_down")
    .describe("Order in which blocks are unfrozen; `random` is one order a seed."),
  first_unfreeze: z
    .enum(["next", "paper41"])
    .default("next")
    .describe("`next`: the first frozen block at k; `paper41`: at 2k, as the code of the paper's reference [41] does."),
  unfreeze: z
    .enum(["gradual", "all_at_once"])
    .default("gradual")
    .describe("One block every k updates, or all of them together."),
  frozen_batch_norm: z
    .enum(["track", "hold", "calibrate"])
    .default("track")
    .describe(
      "Frozen BatchNorm layers keep updating their statistics, keep the initial ones, or keep those of 16 training batches.",
    ),
  before: z.number().min(0).default(0.1).describe("Factor on the learning rate before a learning-rate switch."),
  after: z.number().min(0).default(1).describe("Factor on the learning rate from the switch on."),
});
