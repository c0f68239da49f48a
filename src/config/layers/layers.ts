import { isImageKind } from "../data-sets.js";
import { configInputSchema } from "../schema.js";
import { keyFactAt } from "../schema-walk.js";

/** Keys and values as somebody wrote them, before the schema has seen them. */
export type Settings = Readonly<Record<string, unknown>>;
/** `["train", "learning_rate"]` for `train.learning_rate`; numbers index lists. */
export type Path = readonly (string | number)[];

/** One source of settings. Layers are listed from the weakest to the strongest. */
export interface Layer {
  readonly settings: Settings;
  /** Where this layer says something about `path`, in words for an error message; null where it does not. */
  readonly locate: (path: Path) => string | null;
  /** Whether it is a preset, which also says how to measure what it does not measure by itself. */
  readonly isPreset?: true;
  /** Whether it is for several configurations, of which not every one need have a use for all of it. */
  readonly isShared?: true;
}

/** Either of these two keys of `train` takes the place of the other when a stronger layer names it. */
const ALTERNATIVES: readonly string[] = ["epochs", "updates"];

/** Whether it is one of two ways to write one choice. */
export function isAlternative([section, key]: Path): boolean {
  return section === "train" && ALTERNATIVES.some((alternative) => alternative === key);
}

/** All layers in one mapping, the stronger ones winning key by key. */
export function mergeLayers(layers: readonly Layer[]): Settings {
  return layers.reduce<Settings>((merged, layer) => merge(merged, layer.settings, []), {});
}

export function merge(weak: Settings, strong: Settings, path: Path): Settings {
  const merged = new Map(Object.entries(weak));
  if (path.join(".") === "train") dropAlternative(merged, strong);
  for (const [key, value] of Object.entries(strong)) {
    const here = [...path, key];
    merged.set(key, mergeValues(merged.get(key), value, here));
  }
  return Object.fromEntries(merged);
}

function mergeValues(weak: unknown, strong: unknown, path: Path): unknown {
  const key = keyFactAt(configInputSchema, path, "replacedWith");
  if (key !== null) return mergeKinds(weak, strong, key, path);
  return isSettings(strong) ? merge(isSettings(weak) ? weak : {}, strong, path) : strong;
}

/** Kinds of a model or a schedule have different keys: another kind replaces the mapping instead of joining it. */
function mergeKinds(weak: unknown, strong: unknown, key: string, path: Path): unknown {
  const [below, above] = [spelledOut(weak, path), spelledOut(strong, path)];
  if (!isSettings(below) || !isSettings(above)) return strong;
  const [before, after] = [below[key], above[key]];
  // Data sets of images are told the same things.
  const same = after === undefined || before === after || (isImageKind(before) && isImageKind(after));
  return same ? merge(below, above, path) : above;
}

/** A schedule's name alone stands for its default form. */
function spelledOut(value: unknown, path: Path): unknown {
  return path.at(-1) === "schedule" && typeof value === "string" ? { kind: value } : value;
}

function dropAlternative(merged: Map<string, unknown>, strong: Settings): void {
  const named = ALTERNATIVES.filter((key) => strong[key] !== undefined && strong[key] !== null);
  if (named.length > 0) for (const key of ALTERNATIVES) merged.delete(key);
}

export function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at `path`, undefined where there is none. */
export function valueAt(settings: unknown, path: Path): unknown {
  let value = settings;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
