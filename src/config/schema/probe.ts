import { z } from "zod";
import { atLeast, wordOrInteger } from "./fields.js";

export const SIGNALS = ["fisher_trace", "sharpness_avg", "sharpness_worst"] as const;
export type Signal = (typeof SIGNALS)[number];

/** Everything that can be measured: the signals, and what is recorded only, since nobody has errors for it. */
export const METRICS = [
  ...SIGNALS,
  "hessian_lambda_max",
  "feature_lambda_max",
  "feature_rank",
  "gradient_norm",
] as const;

export const probe = z.strictObject({
  every: atLeast(1).default(10).describe("Updates between two measurements of the signals."),
  points: atLeast(2).default(2048).describe("Training examples of the fixed, un-augmented probe set."),
  batch_size: atLeast(1).default(256).describe("Examples per probe batch."),
  metrics: z
    .array(z.enum(METRICS))
    .default(["fisher_trace"])
    .describe("What to measure. All but the three signals are recorded only, and decide nothing."),
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
  // YAML reads `true` as a truth value.
  labels: z.preprocess(
    (value) => (value === true ? "true" : value),
    z
      .enum(["sampled", "exact", "argmax", "true"])
      .default("sampled")
      .describe(
        "Labels of fisher_trace: drawn from the model, the mean over all of them, the most probable, or the data's " +
          "own. The last two measure something else than tr(F).",
      ),
  ),
  estimator: z
    .enum(["per_example", "batch"])
    .default("per_example")
    .describe("How fisher_trace is estimated; `batch`, the squared norm of a batch's mean gradient, has no error."),
  cache_gib: z
    .number()
    .nonnegative()
    .default(4)
    .describe(
      "Most memory, on the model's device, for what frozen layers give for the probe set, which is then computed once " +
        "(GiB). What does not fit is computed for every measurement, with a warning; 0 keeps nothing.",
    ),
});
