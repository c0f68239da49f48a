import { z } from "zod";
import { axis } from "./axes.js";

/** Letters that a folder's name may have on every file system. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/;
const name = z.string().regex(NAME, {
  error: "expected up to 48 letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
});

const dottedKey = z.string().regex(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/, {
  error: "expected a key such as `train.epochs`",
});
/** Of a configuration: `train.epochs: 4`, or `train: { epochs: 4 }`. What may stand there is the configuration's to say. */
const overrides = z.record(dottedKey, z.unknown());
const axes = z.record(dottedKey, axis);

const seeds = z.union(
  [
    z.int().min(1).max(1000).describe("So many seeds, from 0 up."),
    z
      .array(
        z
          .int()
          .min(0)
          .max(2 ** 32 - 1),
      )
      .min(1)
      .refine((values) => new Set(values).size === values.length, { error: "expected seeds that differ" }),
  ],
  { error: "expected a number of seeds, or a list of them" },
);

const condition = z.strictObject({
  set: overrides.default({}).describe("Settings of this condition."),
  axes: axes.default({}).describe("Settings that take several values in this condition: a run for every combination."),
  arguments: z
    .array(z.string())
    .default([])
    .describe("Arguments after the command, where a script of your own is swept."),
});

const scale = z.strictObject({
  set: overrides.default({}).describe("Settings that make every run smaller."),
  seeds: seeds.optional().describe("Seeds in the place of the file's."),
  axes: axes.default({}).describe("Values in the place of those of the file's axes of these keys."),
  conditions: z.record(name, z.strictObject({ axes })).default({}).describe("The same for the axes of one condition."),
});

const attach = z.strictObject({
  attach: z
    .array(z.string().min(1))
    .min(1)
    .describe("Program and arguments of the script; `{seed}` is the run's seed, `{lr}` its `script.lr`."),
  config: z.string().min(1).optional().describe("YAML file with settings, relative to this file."),
  folder: z.string().min(1).default(".").describe("Folder in which it is started, relative to this file."),
  restart: z.boolean().default(false).describe("Whether it is started again when its process dies."),
});

/** What a sweep's file may say. */
export const sweepFileSchema = z.strictObject({
  name: name.optional().describe("Name of the sweep and of its folder. Default: the file's name."),
  base: z
    .union([z.string().min(1), attach], {
      error: "expected the name of a preset, the path of a YAML file, or a mapping with `attach`",
    })
    .describe("What every run begins with: a preset, a file, or a script of your own."),
  set: overrides.default({}).describe("Settings of every run."),
  conditions: z
    .record(name, condition)
    .refine((given) => Object.keys(given).length > 0, { error: "expected at least one condition" })
    .describe("What is compared: a name and settings each."),
  axes: axes.default({}).describe("Settings that take several values in every condition."),
  seeds: seeds.describe("An axis of their own: every condition is run with each."),
  baseline: name
    .optional()
    .describe("Condition that the others are compared with. Default: `standard`, where there is one."),
  evaluate_on: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Score that decides, such as `ood/mean` or `xquad/x-ling/f1`. Default: the first of these that there is.",
    ),
  report: z
    .strictObject({ title: z.string().min(1).max(200).optional().describe("Title of the report.") })
    .default({})
    .describe("What a report says of this sweep."),
  scales: z.record(name, scale).default({}).describe("Smaller forms of this sweep, chosen with `--scale`."),
  threads: z.int().min(1).default(1).describe("CPU threads of a run; runs with other numbers have other weights."),
  per_gpu: z.int().min(1).default(1).describe("Runs at a time on one GPU."),
  retries: z.int().min(0).default(0).describe("Times that a failed run is begun again within one call."),
});

export type SweepFile = z.output<typeof sweepFileSchema>;
export type Overrides = Readonly<Record<string, unknown>>;
