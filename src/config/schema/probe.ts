import { z } from "zod";
import { METRIC_TABLE, METRICS, type Metric, type ProbeOption } from "../../metrics.js";
import { atLeast, keyFacts, leftOutOrGiven, wordOrInteger } from "./fields.js";

const metrics = z
  .array(z.enum(METRICS))
  .default(["fisher_trace"])
  .describe("What to measure. Only signals may decide k, the first four; the others are recorded.");

const until = wordOrInteger(["decision", "end"])
  .default("decision")
  .describe("How long the signals are measured: up to the decision, to the end, or up to this update.");

/** A script says so by its batches. */
const ofScript = { instead: "the script gives the probe's batches to `thawline.Probe`" };

const common = {
  every: atLeast(1).default(10).describe("Updates between two measurements of the signals."),
  points: atLeast(2)
    .default(2048)
    .describe("Training examples of the fixed, un-augmented probe set.")
    .register(keyFacts, ofScript),
  batch_size: atLeast(1).default(256).describe("Examples per probe batch.").register(keyFacts, ofScript),
  metrics,
  until,
  cache_gib: z
    .number()
    .nonnegative()
    .default(4)
    .describe(
      "Most memory, on the model's device, for what frozen layers give for the probe set, which is then computed once " +
        "(GiB). What does not fit is computed for every measurement, with a warning; 0 keeps nothing.",
    ),
  check_every: atLeast(0)
    .default(0)
    .describe(
      "Measurements between two looks at whether per-example gradients add up to autograd's, and whether what was kept " +
        "of frozen layers is what they give now. 0: when parameters are first measured, and never again.",
    ),
  budget: z
    .number()
    .positive()
    .max(1)
    .nullable()
    .default(null)
    .describe(
      "Most time that measuring may take, as a share of the time of training: the third measurement makes `every` the " +
        "least multiple of itself that keeps it, once for the run. null: `every` stays. Bit-identity with another run " +
        "of the configuration is given up, since seconds differ.",
    ),
};

/** Those that concern some metrics only (`METRIC_TABLE`). */
const options = {
  scope: z
    .enum(["trainable", "all", "blocks"])
    .default("trainable")
    .describe(
      "Parameters the signals look at: those that train, all that ever will, or those that train and, beside them, those " +
        "of each block by itself, which decide nothing.",
    ),
  rho: z
    .number()
    .positive()
    .default(0.01)
    .describe("Radius (worst case) or standard deviation (average) of sharpness."),
  draws: atLeast(2)
    .default(16)
    .describe("Random perturbations per batch for sharpness_avg; an even number where they are antithetic."),
  noise: z
    .enum(["antithetic", "independent"])
    .default("antithetic")
    .describe(
      "Perturbations of sharpness_avg: pairs of opposite ones, in which the slope cancels, or each drawn by itself, as " +
        "in the paper.",
    ),
  iterations: atLeast(1)
    .default(15)
    .describe("Most gradients per batch for sharpness_worst; `apgd` takes as many, `sphere` often three to six."),
  search: z
    .enum(["sphere", "apgd"])
    .default("sphere")
    .describe(
      "How sharpness_worst is searched for: by steps on the sphere of radius rho, or by Auto-PGD from its centre, as in " +
        "the paper.",
    ),
  search_tolerance: z
    .number()
    .nonnegative()
    .lt(1)
    .default(0.005)
    .describe(
      "Share of the value found that two steps on the sphere have to gain, and all later ones to promise, for the search to go on.",
    ),
  worst_value: z
    .enum(["best", "last"])
    .default("best")
    .describe("Which loss of Auto-PGD is sharpness_worst: the largest found, or that of the last iteration."),
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
} satisfies Record<ProbeOption, z.ZodType>;

/** Every key, as a person may write it; which of them have an effect, the metrics say. */
export const probe = z.strictObject({ ...common, ...options });

/** Options of one way to search for the worst case. */
const OF_SEARCH: Readonly<Partial<Record<ProbeOption, z.output<typeof options.search>>>> = {
  search_tolerance: "sphere",
  worst_value: "apgd",
};

/** The search that a key of `probe` belongs to; null where it is none of them. */
export function searchOf(key: string): string | null {
  return Object.hasOwn(OF_SEARCH, key) ? OF_SEARCH[key as ProbeOption]! : null;
}

/** The keys that measuring these metrics has. */
export function probeForm(measured: readonly Metric[], search: string): z.ZodObject {
  const wanted = new Set<string>(measured.flatMap((metric) => METRIC_TABLE[metric].options));
  const used = Object.entries(options).filter(([option]) => {
    const of = searchOf(option);
    return wanted.has(option) && (of === null || of === search);
  });
  return z.strictObject({ ...common, ...Object.fromEntries(used) });
}

/** Where k is known from the start and signals are measured up to its decision: never. */
export const unmeasuredForm = z.strictObject({ until });
/** Where there is nothing to measure. */
export const nothingForm = z.strictObject({ metrics: metrics.unwrap().default([]) });

const bare = leftOutOrGiven(common);
const measuredProbe = z.strictObject({
  every: bare.every.unwrap(),
  metrics: bare.metrics.unwrap(),
  until: bare.until.unwrap(),
  cache_gib: bare.cache_gib.unwrap(),
  // Runs of before it was there have none.
  check_every: bare.check_every,
  budget: bare.budget,
  // A script brings its own points.
  points: bare.points,
  batch_size: bare.batch_size,
  ...leftOutOrGiven(options),
});
/** How a run measures. */
export type MeasuredProbe = z.output<typeof measuredProbe>;

/** As a run uses it. */
export const resolvedProbe = z.union([
  measuredProbe,
  z.strictObject({ until: z.literal("decision") }),
  z.strictObject({ metrics: z.tuple([]) }),
]);
