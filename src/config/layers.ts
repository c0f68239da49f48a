import { DATA_KINDS } from "./data-sets.js";

/** Keys and values as somebody wrote them, before the schema has seen them. */
export type Settings = Readonly<Record<string, unknown>>;
/** `["train", "learning_rate"]` for `train.learning_rate`; numbers index lists. */
export type Path = readonly (string | number)[];

/** One source of settings. Layers are listed from the weakest to the strongest. */
export interface Layer {
  readonly settings: Settings;
  /** Where this layer says something about `path`, in words for an error message; null where it does not. */
  readonly locate: (path: Path) => string | null;
}

/** Either of these two keys takes the place of the other when a stronger layer names it. */
const ALTERNATIVES = ["epochs", "updates"] as const;

/** Mappings whose keys depend on one of them: its name, and the values that are alike in the keys that go with them. */
const KINDS_APART: Readonly<Record<string, { readonly key: string; readonly alike: readonly unknown[] }>> = {
  model: { key: "kind", alike: [] },
  "model.adapter": { key: "method", alike: [] },
  data: { key: "kind", alike: DATA_KINDS },
  "train.schedule": { key: "kind", alike: [] },
};

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
  if (path.join(".") in KINDS_APART) return mergeKinds(weak, strong, path);
  return isSettings(strong) ? merge(isSettings(weak) ? weak : {}, strong, path) : strong;
}

/** Kinds of a model or a schedule have different keys: another kind replaces the mapping instead of joining it. */
function mergeKinds(weak: unknown, strong: unknown, path: Path): unknown {
  const [under, over] = [spelledOut(weak, path), spelledOut(strong, path)];
  if (!isSettings(under) || !isSettings(over)) return strong;
  const { key, alike } = KINDS_APART[path.join(".")]!;
  const [before, after] = [under[key], over[key]];
  const same = after === undefined || before === after || (alike.includes(before) && alike.includes(after));
  return same ? merge(under, over, path) : over;
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
