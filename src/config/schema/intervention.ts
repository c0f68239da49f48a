import { z } from "zod";
import { DEFAULT_EPSILON, RECORDED_NAME, SIGNALS, type RecordedSignal } from "../../metrics.js";
import { atLeast, keyFacts, limit, wordOrInteger } from "./fields.js";

const k = wordOrInteger(["online"])
  .default("online")
  .describe("Unfreezing interval, or update of the change; `online`: decided when the signal stabilizes.");

const measuredSignal = z.enum(SIGNALS);
const recordedSignal = z.string().regex(new RegExp(`^recorded:${RECORDED_NAME.source.slice(1)}`), {
  error: "expected `recorded:` and a name: a letter and up to 63 letters, digits, `_`, `.`, `-` and `/`",
}) as z.ZodType<string, string> as z.ZodType<RecordedSignal, string>;
const signalMeaning =
  "Signal that decides k online: one that is measured, or `recorded:NAME` for what a script records under that name.";
const ruleMeaning =
  "How it decides; `stabilization` for what is measured (Algorithm 2), `plateau` for what is recorded. Default: the one that fits.";
const ofRule = z.enum(["stabilization", "plateau"]);
const mode = z.enum(["min", "max"]).default("min").describe("Which values of a recorded signal are better.");

/** How k is decided online, whatever the signal. */
const judging = {
  tau: atLeast(2)
    .nullable()
    .default(null)
    .describe("Window in points of the signal; null: 3, and 8 for the sharpness signals."),
  epsilon: z
    .number()
    .positive()
    .lt(1)
    .default(DEFAULT_EPSILON)
    .describe("Largest change of the normalised signal that is stable, or improvement that is none."),
  k_max: limit("Largest k that is decided online; null: derived from the length of training and the blocks."),
};
const byMeasured = {
  signal: measuredSignal.default("fisher_trace").describe(signalMeaning),
  rule: ofRule.optional().describe(ruleMeaning),
  ...judging,
};
const byRecorded = {
  signal: recordedSignal.describe(signalMeaning),
  rule: ofRule.default("plateau").describe(ruleMeaning),
  mode,
  ...judging,
};
const byAny = {
  ...byMeasured,
  signal: z.union([measuredSignal, recordedSignal]).default("fisher_trace").describe(signalMeaning),
  mode,
};

const start = atLeast(1)
  .default(1)
  .describe("First update of the intervention; until then everything trains, and k is counted from there.");

const releaseWarmup = atLeast(2).nullable();
const release_warmup = releaseWarmup
  .default(null)
  .describe(
    "Updates over which a released block's learning rate rises in equal steps to its full value; null: at once.",
  );

const frozenBatchNorm = z.enum(["track", "hold", "calibrate"]);
const frozen_batch_norm = frozenBatchNorm
  .default("track")
  .describe(
    "Frozen BatchNorm layers keep updating their statistics, keep the initial ones, or keep those of 16 training batches.",
  )
  .register(keyFacts, { instead: "an attached script sets the mode of its own BatchNorm layers" });

/** What each kind of intervention can be told, besides k and how k is decided. */
const SETTINGS = {
  gradual_unfreezing: {
    start,
    order: z
      .enum(["top_down", "bottom_up", "random"])
      .default("top_down")
      .describe("Order in which blocks are unfrozen; `random` is one order a seed."),
    first_unfreeze: z
      .enum(["next", "paper41"])
      .default("next")
      .describe(
        "`next`: the first frozen block at k; `paper41`: at 2k, as the code of the paper's reference [41] does.",
      ),
    release_warmup,
    frozen_batch_norm,
  },
  head_then_full: { start, release_warmup, frozen_batch_norm },
  learning_rate_switch: {
    start,
    before: z.number().min(0).default(0.1).describe("Factor on the learning rate before a learning-rate switch."),
    after: z.number().min(0).default(1).describe("Factor on the learning rate from the switch on."),
  },
} as const;

const MEANINGS = {
  gradual_unfreezing: "The head trains alone, then a block more every k updates (the paper's Algorithm 1).",
  head_then_full: "The head trains alone until k, then everything (linear probing, then fine-tuning).",
  learning_rate_switch: "The learning rate is multiplied by `before` until k, by `after` from there on.",
} as const;

type KindWithK = keyof typeof SETTINGS;
export type InterventionKind = KindWithK | "none";
export const INTERVENTION_KINDS = [...(Object.keys(SETTINGS) as KindWithK[]), "none"] as const;
export const DEFAULT_KIND: InterventionKind = "gradual_unfreezing";

const literal = <K extends KindWithK>(kind: K) => z.literal(kind).describe(MEANINGS[kind]);
const none = z.strictObject({ kind: z.literal("none").describe("Everything trains from the first update.") });

/** As a person writes it: k as a word or a number. */
const written = <K extends KindWithK>(kind: K) =>
  z.strictObject({ kind: literal(kind), k, ...byAny, ...SETTINGS[kind] });
const online = <K extends KindWithK, R extends z.ZodRawShape>(kind: K, rule: R) =>
  z.strictObject({
    kind: literal(kind).default(kind as never),
    k: z.literal("online").default("online"),
    ...rule,
    ...SETTINGS[kind],
  });
const fixed = <K extends KindWithK>(kind: K) =>
  z.strictObject({ kind: literal(kind).default(kind as never), k: atLeast(1), ...SETTINGS[kind] });

/** For editors and the list of keys; a configuration is checked by the form that fits it. */
export const intervention = z.discriminatedUnion("kind", [
  written("gradual_unfreezing"),
  written("head_then_full"),
  written("learning_rate_switch"),
  none,
]);

/** The keys that an intervention of this kind has, with a fixed k or found by a measured or a recorded signal. */
export function interventionForm(kind: InterventionKind, decidedBy: "fixed" | "measured" | "recorded"): z.ZodObject {
  if (kind === "none") return none;
  if (decidedBy === "fixed") return fixed(kind);
  return decidedBy === "measured" ? online(kind, byMeasured) : online(kind, byRecorded);
}

export type ParsedIntervention = z.output<
  | ReturnType<typeof online<KindWithK, typeof byMeasured>>
  | ReturnType<typeof online<KindWithK, typeof byRecorded>>
  | ReturnType<typeof fixed<"gradual_unfreezing">>
  | ReturnType<typeof fixed<"head_then_full">>
  | ReturnType<typeof fixed<"learning_rate_switch">>
  | typeof none
>;

/** Of networks without BatchNorm, and of scripts, nothing is said about it; journals may be older than the warm-up. */
const saidOrNot = { frozen_batch_norm: frozenBatchNorm.optional(), release_warmup: releaseWarmup.optional() };
const settled = { ...judging, tau: atLeast(2) };
const gradual = { ...SETTINGS.gradual_unfreezing, ...saidOrNot };
const headThenFull = { ...SETTINGS.head_then_full, ...saidOrNot };
const rateSwitch = SETTINGS.learning_rate_switch;
const measured = {
  k: z.literal("online"),
  signal: measuredSignal,
  ...settled,
};
const recorded = {
  k: z.literal("online"),
  signal: recordedSignal,
  rule: z.literal("plateau"),
  mode: mode.unwrap(),
  ...settled,
};
const given = { k: atLeast(1) };

/** As a run uses it: of every form only the keys that have an effect in it. */
export const resolvedIntervention = z.union([
  z.strictObject({ kind: literal("gradual_unfreezing"), ...measured, ...gradual }),
  z.strictObject({ kind: literal("gradual_unfreezing"), ...recorded, ...gradual }),
  z.strictObject({ kind: literal("gradual_unfreezing"), ...given, ...gradual }),
  z.strictObject({ kind: literal("head_then_full"), ...measured, ...headThenFull }),
  z.strictObject({ kind: literal("head_then_full"), ...recorded, ...headThenFull }),
  z.strictObject({ kind: literal("head_then_full"), ...given, ...headThenFull }),
  z.strictObject({ kind: literal("learning_rate_switch"), ...measured, ...rateSwitch }),
  z.strictObject({ kind: literal("learning_rate_switch"), ...recorded, ...rateSwitch }),
  z.strictObject({ kind: literal("learning_rate_switch"), ...given, ...rateSwitch }),
  none,
]);
export type Intervention = z.output<typeof resolvedIntervention>;
