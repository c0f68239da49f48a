import { availableParallelism } from "node:os";
import { basename, extname, resolve } from "node:path";
import type { z } from "zod";
import { findConflicts } from "../checks/conflicts.js";
import { DATA_SETS, isImageData } from "../data-sets.js";
import { formsOf, type Form } from "../forms.js";
import { configPaths } from "../json-schema.js";
import { METRIC_TABLE, RECORDED_TAU } from "../../metrics.js";
import { effectiveSettings } from "./effective.js";
import { mergeLayers, valueAt, type Layer, type Path } from "./layers.js";
import { commandLineLayer, environmentLayer } from "./overrides.js";
import { bundledDataFolder } from "../checks/paths.js";
import { findPreset } from "./presets.js";
import { configError, describeIssues } from "../checks/problems.js";
import { configInputSchema, type Config, type ParsedConfig } from "../schema.js";
import { LANGUAGES, scorerOf } from "../schema/text-data.js";
import { readYamlFile } from "./yaml-file.js";

export interface ConfigRequest {
  /** Name of a preset (`quickstart`) or path of a YAML file (`my.yaml`). */
  readonly source: string;
  /** `a.b=value` arguments. */
  readonly overrides?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Layers between the file and the environment: a sweep's. */
  readonly layers?: readonly Layer[];
  /** Folder that relative paths of the request mean. */
  readonly cwd: string;
  /** Hears of inherited settings that this configuration leaves without effect, a sentence for each reason. */
  readonly onLeftOut?: (sentence: string) => void;
  /** Hears of each of those settings. */
  readonly onKeyLeftOut?: (path: Path) => void;
  /** Hears of the file, where it is what names the code of a model by import path, and not only the user's own words. */
  readonly onCodeFrom?: (file: string) => void;
}

/**
 * The configuration of a run, weakest to strongest: defaults of the schema, preset, file, environment, command line.
 * Reads files and nothing else.
 *
 * @throws UserError that lists everything found wrong, each with its place
 */
export function loadConfig(request: ConfigRequest): Config {
  const { source, overrides = [], env = {}, cwd, onLeftOut } = request;
  const between = request.layers ?? [];
  const layers = [
    ...sourceLayers(source, cwd),
    ...between,
    environmentLayer(env, cwd),
    commandLineLayer(overrides, cwd),
  ];
  const merged = mergeLayers([EMPTY_SECTIONS, ...layers]);
  const forms = formsOf(merged);
  const { settings, problems, leftOut, keysLeftOut } = effectiveSettings(merged, layers, forms);
  // A schema of this one configuration: to compile it takes longer than to go through it once.
  const parsed = checkedBy(forms, configInputSchema).safeParse(settings, { jitless: true });
  if (!parsed.success) {
    const issues = describeIssues(parsed.error.issues, settings, configPaths());
    throw configError([...issues, ...problems], layers, source);
  }
  const config = parsed.data as ParsedConfig;
  const conflicts = [...problems, ...findConflicts(config)];
  if (conflicts.length > 0) throw configError(conflicts, layers, source);
  for (const sentence of leftOut) onLeftOut?.(sentence);
  for (const key of keysLeftOut) request.onKeyLeftOut?.(key);
  if ("folder" in config.model && namesCode(source, layers)) request.onCodeFrom?.(source);
  return resolveConfig(config);
}

/** The schema with, of every section that has several forms, the one that fits. */
export function checkedBy(forms: readonly Form[], whole: z.ZodObject): z.ZodObject {
  return whole.extend(Object.fromEntries(forms.map(({ section, schema }) => [section, schema.prefault({})])));
}

/** Sections with keys that have no default: present, so that each missing key is named rather than its section. */
const EMPTY_SECTIONS: Layer = { settings: { model: {}, data: {}, train: {} }, locate: () => null };

/** The layers of a preset, or of a file and the preset that it names as its base. */
function sourceLayers(source: string, cwd: string): Layer[] {
  if (!isConfigFile(source)) return [presetLayer(source, cwd)];
  const { settings, locate } = readYamlFile(resolve(cwd, source), source);
  const { preset, ...own } = settings;
  const file = named({ settings: own, locate }, source);
  if (preset === undefined) return [file];
  const name = typeof preset === "string" ? preset : JSON.stringify(preset);
  return [presetLayer(name, cwd, locate(["preset"])), file];
}

/** A preset is nobody's file: its relative paths mean the current folder. */
function presetLayer(name: string, cwd: string, mentionedAt: string | null = null): Layer {
  const { path } = findPreset(name, mentionedAt);
  return { ...named(readYamlFile(path, `configs/${name}.yaml`, cwd), name), isPreset: true };
}

/** What decides which code of a model runs, and what it is told. */
const CODE_KEYS = ["kind", "folder", "options"];

/** Whether any of that stands in the file `source`, and neither in the environment nor on the command line. */
function namesCode(source: string, layers: readonly Layer[]): boolean {
  if (!isConfigFile(source)) return false;
  const typed = layers.slice(-2);
  return CODE_KEYS.some((key) => {
    const isIn = (layer: Layer): boolean => valueAt(layer.settings, ["model", key]) !== undefined;
    return layers.some(isIn) && !typed.some(isIn);
  });
}

/** Presets have plain names; anything that looks like a path is a file. */
export function isConfigFile(source: string): boolean {
  return source.includes("/") || /\.ya?ml$/.test(source);
}

/** A run is called after its file or preset unless told otherwise. */
function named(layer: Layer, source: string): Layer {
  return { ...layer, settings: { name: nameAfter(source), ...layer.settings } };
}

/** What is called after a file or a preset: its name, in letters that a folder may have. */
export function nameAfter(source: string): string {
  return basename(source, extname(source)).replace(/[^A-Za-z0-9._-]/g, "-");
}

/** Fixes what depends on the machine or on other keys, so that a resumed run cannot come out differently. */
function resolveConfig(parsed: ParsedConfig): Config {
  const { data, intervention, evaluate, device } = parsed;
  const ood = isImageData(data) ? { ood: evaluate.ood ?? DATA_SETS[data.kind].ood } : {};
  return {
    ...parsed,
    data: resolveData(data),
    intervention: resolveIntervention(intervention),
    evaluate: { ...evaluate, ...ood },
    device: { ...device, threads: device.threads === "auto" ? availableParallelism() : device.threads },
  } as Config;
}

function resolveData(data: ParsedConfig["data"]): Config["data"] {
  if (isImageData(data)) {
    const path = data.path === "bundled" ? bundledDataFolder() : data.path;
    return { ...data, path, augment: data.augment ?? DATA_SETS[data.kind].augment };
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
  if (!("signal" in intervention)) return intervention;
  // The checks have refused every other rule than the one that follows from the signal.
  const { rule: _, ...rest } = intervention;
  const settled =
    "mode" in rest
      ? { ...rest, rule: "plateau", tau: rest.tau ?? RECORDED_TAU }
      : { ...rest, tau: rest.tau ?? METRIC_TABLE[rest.signal].tau };
  return settled as Config["intervention"];
}
