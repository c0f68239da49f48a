import { basename, extname, resolve } from "node:path";
import { z } from "zod";
import { findSignalConflicts } from "./checks/conflicts.js";
import { configError, describeIssues, type Problem } from "./checks/problems.js";
import { decisionForm, measuringForm, restartsForm, type Form } from "./forms.js";
import { pathsOf } from "./json-schema.js";
import { effectiveSettings } from "./layers/effective.js";
import { isSettings, mergeLayers, valueAt, type Layer, type Path, type Settings } from "./layers/layers.js";
import { checkedBy, resolveIntervention } from "./layers/load.js";
import { commandLineLayer, environmentLayer } from "./layers/overrides.js";
import { readYamlFile } from "./layers/yaml-file.js";
import { configInputSchema, configSchema, type Config, type ParsedConfig } from "./schema.js";
import { keyFactAt } from "./schema-walk.js";
import { intervention } from "./schema/intervention.js";
import { probe } from "./schema/probe.js";
import { seconds, supervision } from "./schema/supervision.js";

/** Sections that say what the built-in worker trains; a script says so itself. */
type SectionOfTheWorker = "model" | "data" | "train" | "evaluate" | "checkpoint" | "device";

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
  intervention: intervention.prefault({ kind: "gradual_unfreezing" }),
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
  probe: configSchema.shape.probe,
  intervention: configSchema.shape.intervention,
  supervision: configSchema.shape.supervision,
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
  /** Layers between the file and the environment: a sweep's. */
  readonly layers?: readonly Layer[];
  /** Folder that relative paths of the request mean. */
  readonly cwd: string;
  readonly script: Script;
  /** Hears of inherited settings that are without effect, a sentence for each reason. */
  readonly onLeftOut?: (sentence: string) => void;
  /** Hears of each of those settings. */
  readonly onKeyLeftOut?: (path: Path) => void;
}

/**
 * The configuration of a script's run, weakest to strongest: defaults, file, environment, command line.
 *
 * @throws UserError that lists everything found wrong, each with its place
 */
export function loadAttachedConfig(request: AttachedConfigRequest): AttachedConfig {
  const { file, overrides, env, cwd, script, onLeftOut } = request;
  const between = request.layers ?? [];
  const layers = [...fileLayers(file, cwd), ...between, environmentLayer(env, cwd), commandLineLayer(overrides, cwd)];
  const merged = mergeLayers([namedAfter(script), ...layers]);
  const source = file ?? "attach";
  const foreign = foreignKeys(merged);
  if (foreign.length > 0) throw configError(foreign, layers, source);
  const forms = formsOfScript(merged, script);
  const { settings, problems, leftOut, keysLeftOut } = effectiveSettings(merged, layers, forms);
  const parsed = checkedBy(forms, attachedInputSchema).safeParse(settings);
  if (!parsed.success) {
    const issues = describeIssues(parsed.error.issues, settings, pathsOf(attachedInputSchema));
    throw configError([...issues, ...problems], layers, source);
  }
  const config = parsed.data as Omit<AttachedConfig, "intervention" | "script"> & Pick<ParsedConfig, "intervention">;
  const conflicts = [...problems, ...findSignalConflicts(config)];
  if (conflicts.length > 0) throw configError(conflicts, layers, source);
  for (const sentence of leftOut) onLeftOut?.(sentence);
  for (const key of keysLeftOut) request.onKeyLeftOut?.(key);
  return { ...config, intervention: resolveIntervention(config.intervention), script };
}

function formsOfScript(settings: Settings, { restart }: Script): Form[] {
  const ownBatchNorm = { by: [], text: "an attached script sets the mode of its own BatchNorm layers" };
  const forms = [
    measuringForm(settings, attachedProbe.shape),
    decisionForm(settings, ownBatchNorm),
    restart ? restartsForm(settings, attachedSupervision) : startedOnce(),
  ];
  return forms.filter((form) => form !== null);
}

function startedOnce(): Form {
  const why = { by: [], text: "a script is not started again without `--restart`" };
  const schema = attachedSupervision.omit({ max_restarts: true, restart_delay_seconds: true });
  return { section: "supervision", schema, why: () => why };
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

/** What the schema says is not for scripts; a preset brings a training. */
function foreignKeys(settings: Settings): Problem[] {
  return [["preset"], ...pathsIn(settings)].flatMap((path): Problem[] => {
    const why =
      path.join() === "preset"
        ? "an attached script brings its own training"
        : keyFactAt(configInputSchema, path, "instead");
    if (why === null || valueAt(settings, path) === undefined) return [];
    const key = path.join(".");
    return [{ paths: [path], text: `\`${key}\` does not apply: ${why}`, hint: `leave \`${key}\` out` }];
  });
}

/** Sections, and the keys in them. */
function pathsIn(settings: Settings): string[][] {
  return Object.entries(settings).flatMap(([section, value]) => [
    [section],
    ...(isSettings(value) ? Object.keys(value).map((key) => [section, key]) : []),
  ]);
}
