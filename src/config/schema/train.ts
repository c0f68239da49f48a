import { z } from "zod";
import { atLeast } from "./fields.js";

const fullSchedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({
    kind: z.literal("linear_tail"),
    fraction: z
      .number()
      .positive()
      .max(1)
      .default(0.25)
      .describe("Share of the updates, at the end, over which the rate falls linearly to zero."),
  }),
]);

const schedule = z
  .union(
    [z.enum(["constant", "linear_tail"]).transform((kind): Schedule => fullSchedule.parse({ kind })), fullSchedule],
    { error: "expected `constant`, `linear_tail` or a mapping with a `kind`" },
  )
  .describe("Learning-rate schedule; its name alone stands for its default form.");

export const train = z.strictObject({
  optimizer: z.enum(["sgd"]).default("sgd").describe("Optimizer; it holds all parameters from the first update."),
  learning_rate: z.number().positive().describe("Learning rate before schedule and intervention."),
  momentum: z.number().min(0).lt(1).default(0).describe("Momentum of SGD."),
  weight_decay: z.number().min(0).default(0).describe("L2 penalty, as torch.optim.SGD defines it."),
  batch_size: atLeast(1).describe("Training examples per update."),
  epochs: atLeast(1)
    .nullable()
    .default(null)
    .describe("Length of training in passes over the data; or give `updates`."),
  updates: atLeast(1).nullable().default(null).describe("Length of training in optimizer updates; or give `epochs`."),
  schedule: schedule.default({ kind: "constant" }),
});

export type Schedule = z.output<typeof fullSchedule>;
