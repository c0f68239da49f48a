import { z } from "zod";
import { DATA_KINDS } from "./data-sets.js";

/**
 * Every configuration key, once: its type, bounds, default and meaning. Keys are snake_case everywhere, also in the
 * TypeScript types, because the same mapping is written to config.yaml, journaled and sent to the worker.
 *
 * Two forms: `configInputSchema` is what a person writes (words such as `auto` and `bundled`, keys left out),
 * `configSchema` what a run uses (everything fixed, so that a resumed run cannot come out differently).
 */

const atLeast = (minimum: number) => z.int().min(minimum);
const seconds = (standard: number, meaning: string) => z.number().positive().default(standard).describe(meaning);
const limit = (meaning: string) => atLeast(1).nullable().default(null).describe(meaning);

/** A word or a whole number; the message is spelled out because zod names neither branch of a union. */
const wordOrInteger = <const W extends string>(words: readonly [W, ...W[]]) =>
  z.union([z.enum(words), atLeast(1)], {
    error: `expected ${words.map((word) => `\`${word}\``).join(", ")} or a whole number of at least 1`,
  });

export const SIGNALS = ["fisher_trace", "sharpness_avg", "sharpness_worst"] as const;
export type Signal = (typeof SIGNALS)[number];

/** Everything that can be measured: the signals, and what is recorded only, since nobody has errors for it. */
export const METRICS = [...SIGNALS, "hessian_lambda_max", "feature_lambda_max", "feature_rank"] as const;

const model = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("resnet18").describe("ResNet-18 in its small-image form; 5 blocks and a head."),
    width: atLeast(1).default(64).describe("Channels of the first stage; 64 is the standard ResNet-18."),
  }),
  z.strictObject({
    kind: z.literal("vgg11").describe("VGG-11 for images of at least 32 x 32; 8 blocks and a head of 3 layers."),
    batch_norm: z.boolean().default(false).describe("A BatchNorm after each convolution, in the convolution's block."),
    dropout: z.number().min(0).lt(1).default(0).describe("Dropout before the first two layers of the head."),
    head_width: atLeast(1).default(512).describe("Units of the head's two hidden layers."),
  }),
]);

const augment = z.enum(["none", "standard"]);
const ood = z.enum(["mnist_c", "none"]);
const perChannel = (number: z.ZodNumber, meaning: string) => z.array(number).min(1).max(3).describe(meaning);

const data = z.strictObject({
  kind: z.enum(DATA_KINDS).describe("Data set."),
  path: z
    .string()
    .min(1)
    .default("bundled")
    .describe(
      "Folder of the data files, or archive of CIFAR; `bundled`: the MNIST files that come with thawline. " +
        "In a file, relative to that file; elsewhere to the current folder.",
    ),
  verify_checksums: z
    .boolean()
    .default(true)
    .describe("Refuse data files whose checksum is not the published one, where one is published (MNIST, CIFAR)."),
  max_train_examples: limit("Use only the first so many training examples; null: all."),
  max_test_examples: limit("Use only the first so many test examples; null: all."),
  normalization: z
    .strictObject({
      mean: perChannel(z.number(), "Mean of each channel, of pixels scaled to [0, 1]."),
      std: perChannel(z.number().positive(), "Standard deviation of each channel, of pixels scaled to [0, 1]."),
    })
    .nullable()
    .default(null)
    .describe("How inputs are normalised; null: the data set's customary constants, or those of an image folder."),
  augment: augment
    .nullable()
    .default(null)
    .describe(
      "Training batches as they are, or `standard`: zero-padded by 4, cropped at random and mirrored half the time; " +
        "null: `standard` for CIFAR, otherwise `none`. Never for probes and evaluation.",
    ),
});

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

const train = z.strictObject({
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

const probe = z.strictObject({
  every: atLeast(1).default(10).describe("Updates between two measurements of the signals."),
  points: atLeast(2).default(2048).describe("Training examples of the fixed, un-augmented probe set."),
  batch_size: atLeast(1).default(256).describe("Examples per probe batch."),
  metrics: z
    .array(z.enum(METRICS))
    .default(["fisher_trace"])
    .describe("What to measure. `hessian_lambda_max` and the `feature_` metrics are recorded, but decide nothing."),
  scope: z.enum(["trainable", "all"]).default("trainable").describe("Parameters the signals look at."),
  until: wordOrInteger(["decision", "end"])
    .default("decision")
    .describe("How long the signals are measured: up to the decision, to the end, or up to this update."),
  rho: z
    .number()
    .positive()
    .default(0.01)
    .describe("Radius (worst case) or standard deviation (average) of sharpness."),
  draws: atLeast(2).default(15).describe("Random perturbations per batch for sharpness_avg."),
  iterations: atLeast(1).default(15).describe("APGD iterations per batch for sharpness_worst."),
  worst_value: z
    .enum(["best", "last"])
    .default("best")
    .describe("Which loss of the search is sharpness_worst: the largest found, or that of the last iteration."),
  labels: z
    .enum(["sampled", "exact", "argmax", "true"])
    .default("sampled")
    .describe(
      "Labels of fisher_trace: drawn from the model, the mean over all of them, the most probable, or the data's own. " +
        "The last two measure something else than tr(F).",
    ),
  estimator: z
    .enum(["per_example", "batch"])
    .default("per_example")
    .describe("How fisher_trace is estimated; `batch`, the squared norm of a batch's mean gradient, has no error."),
});

const intervention = z.strictObject({
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
  k_max: limit("Latest update at which k is decided; null: derived from the length of training and the blocks."),
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

const evaluate = z.strictObject({
  batch_size: atLeast(1).default(256).describe("Examples per evaluation batch."),
  ood: ood
    .nullable()
    .default(null)
    .describe("Out-of-distribution test sets; null: `mnist_c` for MNIST, otherwise `none`."),
  images_per_corruption: wordOrInteger(["all"])
    .default("all")
    .describe("Test images per corruption: all, or the first so many."),
});

const checkpoint = z.strictObject({
  every: atLeast(1).default(500).describe("Updates between two checkpoints; one more is written at the end."),
  keep: atLeast(1).default(2).describe("Newest checkpoints kept on disk."),
});

const device = z.strictObject({
  kind: z.enum(["auto", "cpu", "cuda"]).default("auto").describe("Where to train; `auto`: a GPU where there is one."),
  threads: wordOrInteger(["auto"])
    .default("auto")
    .describe("CPU threads; `auto`: all cores. Another number of threads gives other weights."),
  shared: z
    .boolean()
    .default(false)
    .describe(
      "Several runs share this machine: idle threads of a run with more than one sleep instead of spinning. " +
        "Doubles the time of an undisturbed run; without it, busy neighbours cost ten times.",
    ),
});

const supervision = z.strictObject({
  connect_seconds: seconds(60, "Time a worker has to connect."),
  ready_seconds: seconds(600, "Time a worker has to load model and data."),
  link_silent_seconds: seconds(10, "Silence on the link after which it is shown as silent."),
  progress_warn_seconds: seconds(
    60,
    "Time without progress after which a warning is shown, if 10 median updates are shorter.",
  ),
  progress_seconds: seconds(900, "Time without progress after which the attempt is ended."),
  stop_grace_seconds: seconds(60, "Time a worker has to stop by itself, besides 3 median updates."),
  max_restarts: atLeast(0).default(5).describe("Restarts in a row without a newer checkpoint."),
  restart_delay_seconds: seconds(0.5, "Wait before the first restart; doubles with each one that makes no progress."),
});

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
  model,
  data: data.extend({ path: z.string().startsWith("/"), augment }),
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
export type Schedule = z.output<typeof fullSchedule>;
