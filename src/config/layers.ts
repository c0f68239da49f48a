import { homedir } from "node:os";
import { join, resolve } from "node:path";

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

/** Mappings whose keys depend on their `kind`. */
const KINDS_APART: readonly string[] = ["model", "train.schedule"];

/** All layers in one mapping, the stronger ones winning key by key. */
export function mergeLayers(layers: readonly Layer[]): Settings {
  return layers.reduce<Settings>((merged, layer) => merge(merged, layer.settings, []), {});
}

function merge(weak: Settings, strong: Settings, path: Path): Settings {
  const merged = new Map(Object.entries(weak));
  if (path.join(".") === "train") dropAlternative(merged, strong);
  for (const [key, value] of Object.entries(strong)) {
    const here = [...path, key];
    merged.set(key, mergeValues(merged.get(key), value, here));
  }
  return Object.fromEntries(merged);
}

function mergeValues(weak: unknown, strong: unknown, path: Path): unknown {
  if (KINDS_APART.includes(path.join("."))) return mergeKinds(weak, strong, path);
  return isSettings(strong) ? merge(isSettings(weak) ? weak : {}, strong, path) : strong;
}

/** Kinds of a model or a schedule have different keys, so another kind replaces the mapping instead of joining it. */
function mergeKinds(weak: unknown, strong: unknown, path: Path): unknown {
  const [under, over] = [spelledOut(weak, path), spelledOut(strong, path)];
  if (!isSettings(under) || !isSettings(over)) return strong;
  return "kind" in over && over["kind"] !== under["kind"] ? over : merge(under, over, path);
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

/** Relative paths mean the folder of the layer that wrote them, so they are made absolute before layers meet. */
export function withAbsolutePaths(settings: Settings, folder: string): Settings {
  const data = valueAt(settings, ["data", "path"]);
  const model = valueAt(settings, ["model", "folder"]) ?? (namesOwnModel(settings) ? "." : undefined);
  return merge(
    settings,
    {
      ...(isPath(data) && data !== "bundled" ? { data: { path: absolute(data, folder) } } : {}),
      ...(isPath(model) ? { model: { folder: absolute(model, folder) } } : {}),
      ...absoluteIn(settings, "evaluate", ["ood_path", "frost_textures"], folder),
    },
    [],
  );
}

/** Whether this layer gives the import path of a model: its module is looked for where that was written. */
function namesOwnModel(settings: Settings): boolean {
  const kind = valueAt(settings, ["model", "kind"]);
  return typeof kind === "string" && kind.includes(":");
}

/** A section with those of its keys that name a path. */
function absoluteIn(settings: Settings, section: string, keys: readonly string[], folder: string): Settings {
  const paths = keys.flatMap((key) => {
    const path = valueAt(settings, [section, key]);
    return isPath(path) ? [[key, absolute(path, folder)] as const] : [];
  });
  return paths.length === 0 ? {} : { [section]: Object.fromEntries(paths) };
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function absolute(path: string, folder: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(folder, path);
}
