import { availableParallelism } from "node:os";
import { basename, extname, resolve } from "node:path";
import { findConflicts } from "./checks.js";
import { DATA_SETS, isImageData } from "./data-sets.js";
import { configPaths } from "./json-schema.js";
import { mergeLayers, type Layer } from "./layers.js";
import { commandLineLayer, environmentLayer } from "./overrides.js";
import { bundledDataFolder } from "./paths.js";
import { findPreset } from "./presets.js";
import { configError, describeIssues } from "./problems.js";
import { configInputSchema, type Config, type ParsedConfig, type Signal } from "./schema.js";
import { LANGUAGES, scorerOf } from "./schema/text-data.js";
import { readYamlFile } from "./yaml-file.js";

export interface ConfigRequest {
  /** Name of a preset (`quickstart`) or path of a YAML file (`my.yaml`). */
  readonly source: string;
  /** `a.b=value` arguments. */
  readonly overrides?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Folder that relative paths of the request mean. */
  readonly cwd: string;
}

/** Windows in probes that behaved well on recorded series; the sharpness measures are noisier (paper, appendix D). */
const DEFAULT_TAU: Record<Signal, number> = { fisher_trace: 3, sharpness_avg: 8, sharpness_worst: 8 };

/**
 * The configuration of a run, weakest to strongest: defaults of the schema, preset, file, environment, command line.
 * Reads files and nothing else.
 *
 * @throws UserError that lists everything found wrong, each with its place
 */
export function loadConfig({ source, overrides = [], env = {}, cwd }: ConfigRequest): Config {
  const layers = [...sourceLayers(source, cwd), environmentLayer(env, cwd), commandLineLayer(overrides, cwd)];
  const settings = mergeLayers([EMPTY_SECTIONS, ...layers]);
  const parsed = configInputSchema.safeParse(settings);
  if (!parsed.success) {
    throw configError(describeIssues(parsed.error.issues, settings, configPaths()), layers, source);
  }
  const conflicts = findConflicts(parsed.data);
  if (conflicts.length > 0) throw configError(conflicts, layers, source);
  return resolveConfig(parsed.data);
}

/** Sections with keys that have no default: present, so that each missing key is named rather than its section. */
const EMPTY_SECTIONS: Layer = { settings: { model: {}, data: {}, train: {} }, locate: () => null };

/** The layers of a preset, or of a file and the preset that it names as its base. */
function sourceLayers(source: string, cwd: string): Layer[] {
  if (!isFile(source)) return [presetLayer(source, cwd)];
  const { settings, locate } = readYamlFile(resolve(cwd, source), source);
  const { preset, ...own } = settings;
  const file = named({ settings: own, locate }, basename(source, extname(source)));
  if (preset === undefined) return [file];
  const name = typeof preset === "string" ? preset : JSON.stringify(preset);
  return [presetLayer(name, cwd, locate(["preset"])), file];
}

/** A preset is nobody's file: its relative paths mean the current folder. */
function presetLayer(name: string, cwd: string, mentionedAt: string | null = null): Layer {
  const { path } = findPreset(name, mentionedAt);
  return named(readYamlFile(path, `configs/${name}.yaml`, cwd), name);
}

/** Presets have plain names; anything that looks like a path is a file. */
function isFile(source: string): boolean {
  return source.includes("/") || /\.ya?ml$/.test(source);
}

/** A run is called after its file or preset unless told otherwise. */
function named(layer: Layer, stem: string): Layer {
  const name = stem.replace(/[^A-Za-z0-9._-]/g, "-");
  return { ...layer, settings: { name, ...layer.settings } };
}

/** Fixes what depends on the machine or on other keys, so that a resumed run cannot come out differently. */
function resolveConfig(parsed: ParsedConfig): Config {
  const { data, intervention, evaluate, device } = parsed;
  const ood = isImageData(data) ? DATA_SETS[data.kind].ood : "none";
  return {
    ...parsed,
    data: resolveData(data),
    intervention: resolveIntervention(intervention),
    evaluate: { ...evaluate, ood: evaluate.ood ?? ood },
    device: { ...device, threads: device.threads === "auto" ? availableParallelism() : device.threads },
  };
}

function resolveData(data: ParsedConfig["data"]): Config["data"] {
  if (isImageData(data)) {
    const { hasChecksums, augment } = DATA_SETS[data.kind];
    return {
      ...data,
      path: data.path === "bundled" ? bundledDataFolder() : data.path,
      // A record that says "verified" must mean it.
      verify_checksums: data.verify_checksums && hasChecksums,
      augment: data.augment ?? augment,
    };
  }
  switch (data.kind) {
    case "question_answering":
      return { ...data, tests: data.tests.map((test) => ({ ...withLanguages(test), scorer: scorerOf(test) })) };
    case "sentence_pairs":
      return { ...data, tests: data.tests.map(withLanguages) };
    case "xquad_articles":
      return data;
  }
}

function withLanguages<T extends { readonly name: string; readonly languages: string[] | null }>(
  test: T,
): T & { readonly languages: string[] } {
  return { ...test, languages: test.languages ?? [...(LANGUAGES[test.name] ?? [])] };
}

/** A window in probes that suits the signal, where none was chosen. */
export function resolveIntervention(intervention: ParsedConfig["intervention"]): Config["intervention"] {
  return { ...intervention, tau: intervention.tau ?? DEFAULT_TAU[intervention.signal] };
}
