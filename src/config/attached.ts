import { basename, extname, resolve } from "node:path";
import { z } from "zod";
import { findSignalConflicts } from "./checks.js";
import { findIgnoredInterventionSettings } from "./intervention-checks.js";
import { pathsOf } from "./json-schema.js";
import { mergeLayers, valueAt, type Layer, type Settings } from "./layers.js";
import { resolveIntervention } from "./load.js";
import { commandLineLayer, environmentLayer } from "./overrides.js";
import { configError, describeIssues, type Problem } from "./problems.js";
import { configSchema, type Config } from "./schema.js";
import { intervention } from "./schema/intervention.js";
import { probe } from "./schema/probe.js";
import { seconds, supervision } from "./schema/supervision.js";
import { readYamlFile } from "./yaml-file.js";

/** Sections that say what the built-in worker trains; a script says so itself. */
type SectionOfTheWorker = "model" | "data" | "train" | "evaluate" | "checkpoint" | "device";

/** Keys that have no effect on a script, and what in the script takes their place. */
const INSTEAD: Readonly<Record<string, string>> = {
  preset: "an attached script brings its own training",
  model: "an attached script brings its own model",
  data: "an attached script reads its own data",
  train: "an attached script brings its own optimizer and length",
  evaluate: "an attached script evaluates by itself",
  checkpoint: "an attached script writes its own checkpoints, with `run.state_dict()` in them",
  device: "an attached script chooses its own device and threads",
  "probe.points": "the script gives the probe's batches to `thawline.Probe`",
  "probe.batch_size": "the script gives the probe's batches to `thawline.Probe`",
  "intervention.frozen_batch_norm": "an attached script sets the mode of its own BatchNorm layers",
};

const { name, seed } = configSchema.shape;
const attachedProbe = probe.omit({ points: true, batch_size: true });
/** Scripts load their data before they attach, and evaluate between two updates: both may take long. */
const attachedSupervision = supervision.extend({
  connect_seconds: seconds(600, "Time a script has to call `thawline.attach`."),
  progress_seconds: seconds(3600, "Time without an update after which the attempt is ended."),
});

/** What a person may set for a script of their own, by the same keys as for a built-in training. */
export const attachedInputSchema = z.strictObject({
  name,
  seed,
  probe: attachedProbe.prefault({}),
  intervention: intervention.omit({ frozen_batch_norm: true }).prefault({}),
  supervision: attachedSupervision.prefault({}),
});

const script = z.strictObject({
  command: z.tuple([z.string()], z.string()).describe("Program and arguments."),
  folder: z.string().startsWith("/").describe("Folder in which the command is started."),
  restart: z.boolean().describe("Whether the command is started again when its process dies."),
});

/** What a run of a script uses; `script` stands in the place of the sections that describe a built-in training. */
export const attachedConfigSchema = z.strictObject({
  name,
  seed,
  probe: attachedProbe,
  intervention: configSchema.shape.intervention,
  supervision: attachedSupervision,
  script,
});

export type Script = z.output<typeof script>;
export type AttachedConfig = z.output<typeof attachedConfigSchema> & {
  readonly [section in SectionOfTheWorker]?: undefined;
};

/** The configuration of any run: of a built-in training, or of a script of the user's own. */
export type RunConfig = (Config & { readonly script?: undefined }) | AttachedConfig;

export interface AttachedConfigRequest {
  /** Path of a YAML file; null where there is none. */
  readonly file: string | null;
  /** `a.b=value` arguments. */
  readonly overrides: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Folder that relative paths of the request mean. */
  readonly cwd: string;
  readonly script: Script;
}

/**
 * The configuration of a script's run, weakest to strongest: defaults, file, environment, command line.
 *
 * @throws UserError that lists everything found wrong, each with its place
 */
export function loadAttachedConfig({ file, overrides, env, cwd, script }: AttachedConfigRequest): AttachedConfig {
  const layers = [...fileLayers(file, cwd), environmentLayer(env, cwd), commandLineLayer(overrides, cwd)];
  const settings = mergeLayers([namedAfter(script), ...layers]);
  const source = file ?? "attach";
  const foreign = foreignKeys(settings);
  if (foreign.length > 0) throw configError(foreign, layers, source);
  const parsed = attachedInputSchema.safeParse(settings);
  if (!parsed.success) {
    throw configError(describeIssues(parsed.error.issues, settings, pathsOf(attachedInputSchema)), layers, source);
  }
  const { probe } = parsed.data;
  const intervention = { ...parsed.data.intervention, frozen_batch_norm: "track" as const };
  const conflicts = [...findIgnoredInterventionSettings(intervention), ...findSignalConflicts({ probe, intervention })];
  if (conflicts.length > 0) throw configError(conflicts, layers, source);
  return { ...parsed.data, intervention: resolveIntervention(intervention), script };
}

function fileLayers(file: string | null, cwd: string): Layer[] {
  return file === null ? [] : [readYamlFile(resolve(cwd, file), file)];
}

/** A run is called after its script unless told otherwise: `train` for `python train.py --lr 0.1`. */
function namedAfter({ command }: Script): Layer {
  const file = command.find((word) => word.endsWith(".py")) ?? command[0];
  const stem = basename(file, extname(file)).replace(/[^A-Za-z0-9._-]/g, "-");
  const name = stem.replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
  return { settings: { name: name === "" ? "script" : name }, locate: () => null };
}

function foreignKeys(settings: Settings): Problem[] {
  return Object.entries(INSTEAD).flatMap(([key, why]) => {
    const path = key.split(".");
    return valueAt(settings, path) === undefined
      ? []
      : [{ paths: [path], text: `\`${key}\` does not apply: ${why}`, hint: `leave \`${key}\` out` }];
  });
}
