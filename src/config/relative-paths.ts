import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isSettings, merge, valueAt, type Settings } from "./layers.js";

/** Relative paths mean the folder of the layer that wrote them, so they are made absolute before layers meet. */
export function withAbsolutePaths(settings: Settings, folder: string): Settings {
  const data = valueAt(settings, ["data", "path"]);
  const model = valueAt(settings, ["model", "folder"]) ?? (namesOwnModel(settings) ? "." : undefined);
  const pretrained = valueAt(settings, ["model", "pretrained"]);
  const tests = valueAt(settings, ["data", "tests"]);
  const absolutePaths: Settings[] = [
    isPath(data) && data !== "bundled" ? { data: { path: absolute(data, folder) } } : {},
    isPath(model) ? { model: { folder: absolute(model, folder) } } : {},
    isPath(pretrained) && isFolderName(pretrained) ? { model: { pretrained: absolute(pretrained, folder) } } : {},
    absoluteIn(settings, "data", ["train", "development"], folder),
    Array.isArray(tests) ? { data: { tests: tests.map((test) => withAbsoluteSource(test, folder)) } } : {},
    absoluteIn(settings, "evaluate", ["ood_path", "frost_textures"], folder),
  ];
  return absolutePaths.reduce((merged, paths) => merge(merged, paths, []), settings);
}

/** Whether this layer gives the import path of a model: its module is looked for where that was written. */
function namesOwnModel(settings: Settings): boolean {
  const kind = valueAt(settings, ["model", "kind"]);
  return typeof kind === "string" && kind.includes(":");
}

/** A folder, where the id of a model on the Hub (`FacebookAI/xlm-roberta-base`) could stand as well. */
export function isFolderName(name: string): boolean {
  return /^(?:\.{1,2}|~)?\//.test(name);
}

function withAbsoluteSource(test: unknown, folder: string): unknown {
  if (!isSettings(test) || !isPath(test["source"])) return test;
  return { ...test, source: absolute(test["source"], folder) };
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
