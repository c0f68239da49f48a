import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { z } from "zod";
import { configInputSchema } from "../schema.js";
import { keyFacts } from "../schema/fields.js";
import { formsIn, under } from "../schema-walk.js";
import { isSettings, valueAt, type Path, type Settings } from "./layers.js";

/** Relative paths mean the folder of the layer that wrote them, so they are made absolute before layers meet. */
export function withAbsolutePaths(settings: Settings, folder: string): Settings {
  const placed = namesOwnModel(settings) ? withModelFolder(settings) : settings;
  return mapPaths(placed, (path) => absolutePath(path, folder));
}

/** The settings with `map` applied to every value that names a file or folder; what only may be one, such as a model's id, is left alone. */
export function mapPaths(settings: Settings, map: (path: string, key: Path) => string): Settings {
  return mapped(settings, [configInputSchema], [], map) as Settings;
}

/** Whether this layer gives the import path of a model: its module is looked for where that was written. */
function namesOwnModel(settings: Settings): boolean {
  const kind = valueAt(settings, ["model", "kind"]);
  return typeof kind === "string" && kind.includes(":");
}

function withModelFolder({ model, ...settings }: Settings): Settings {
  return { ...settings, model: { folder: ".", ...(model as Settings) } };
}

/** @param schemas what the value may be */
function mapped(
  value: unknown,
  schemas: readonly z.core.$ZodType[],
  key: Path,
  map: (path: string, key: Path) => string,
): unknown {
  if (typeof value === "string") return namesPath(value, schemas) ? map(value, key) : value;
  if (Array.isArray(value)) {
    return value.map((item, index) => mapped(item, under(schemas, index), [...key, index], map));
  }
  if (!isSettings(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, mapped(inner, under(schemas, name), [...key, name], map)]),
  );
}

/** A key of several kinds of data, such as `data.path`, is a path where all of them agree. */
function namesPath(value: string, schemas: readonly z.core.$ZodType[]): boolean {
  const facts = schemas.flatMap(formsIn).flatMap((schema) => keyFacts.get(schema)?.isPath ?? []);
  return value !== "" && facts.length > 0 && facts.every((isPath) => isPath(value));
}

function absolutePath(path: string, folder: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(folder, path);
}
