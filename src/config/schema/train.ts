import { z } from "zod";
import { atLeast, keyFacts, leftOutOrGiven } from "./fields.js";

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
  z.strictObject({ kind: z.literal("linear").describe("Falls linearly to zero over the whole run.") }),
]);

const schedule = z
  .union(
    [
      z.enum(["constant", "linear_tail", "linear"]).transform((kind): Schedule => fullSchedule.parse({ kind })),
      fullSchedule,
    ],
    { error: "expected `constant`, `linear_tail`, `linear` or a mapping with a `kind`" },
  )
  .describe("Learning-rate schedule; its name alone stands for its default form.")
  .register(keyFacts, { replacedWith: "kind" });

export const train = z.strictObject({
  optimizer: z
    .enum(["sgd", "adamw"])
    .default("sgd")
    .describe("Optimizer; it holds everything that ever trains from the first update."),
  learning_rate: z.number().positive().describe("Learning rate before schedule and intervention."),
  momentum: z.number().min(0).lt(1).default(0).describe("Momentum of SGD."),
  weight_decay: z
    .number()
    .min(0)
    .default(0)
    .describe("L2 penalty of SGD; decoupled decay of AdamW, which leaves biases and norms alone."),
  batch_size: atLeast(1).describe("Training examples per update."),
  epochs: atLeast(1)
    .nullable()
    .default(null)
    .describe("Length of training in passes over the data; or give `updates`."),
  updates: atLeast(1).nullable().default(null).describe("Length of training in optimizer updates; or give `epochs`."),
  schedule: schedule.default({ kind: "constant" }),
  max_gradient_norm: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("Euclidean norm to which gradients are scaled down; null: they are left as they are."),
});
keyFacts.add(train, { instead: "an attached script brings its own optimizer and length" });

/** The keys that training with this optimizer has. */
export function trainForm(optimizer: unknown): z.ZodObject {
  return optimizer === "adamw" ? train.omit({ momentum: true }) : train;
}

/** As a run uses it. */
export const resolvedTrain = train.extend({ momentum: leftOutOrGiven(train.shape).momentum });

export type Schedule = z.output<typeof fullSchedule>;
