import { merge, type Layer, type Path, type Settings } from "../config/layers/layers.js";
import { touches } from "../config/layers/overrides.js";
import { withAbsolutePaths } from "../config/layers/relative-paths.js";
import type { Overrides } from "./file-schema.js";

/** Where a key of the sweep's file stands, in words; null where it does not. */
export type Locate = (path: Path) => string | null;

/**
 * Overrides of a sweep's file as a layer of a configuration. `train.epochs: 4` and `train: { epochs: 4 }` mean the same.
 *
 * @param at where they stand in the file
 * @param folder what relative paths mean
 */
export function overridesLayer(overrides: Overrides, at: Path, locate: Locate, folder: string): Layer {
  const written = Object.keys(overrides);
  return {
    settings: withAbsolutePaths(nested(overrides), folder),
    locate: (path) => {
      const key = written.findLast((name) => touches(name.split("."), path));
      if (key === undefined) return null;
      const below = path.slice(key.split(".").length);
      return locate([...at, key, ...below]) ?? locate([...at, key]);
    },
  };
}

/** The values of a run on the sweep's axes, or settings of the command line, as a layer. */
export function axesLayer(values: Overrides, placeOf: (key: string) => string | null, folder: string): Layer {
  return {
    settings: withAbsolutePaths(nested(values), folder),
    locate: (path) => {
      const key = Object.keys(values).find((name) => touches(name.split("."), path));
      return key === undefined ? null : placeOf(key);
    },
  };
}

/** Dotted keys taken apart. */
export function nested(overrides: Overrides): Settings {
  return Object.entries(overrides).reduce<Settings>((settings, [key, value]) => {
    const wrapped = key.split(".").reduceRight<unknown>((below, name) => ({ [name]: below }), value) as Settings;
    return merge(settings, wrapped, []);
  }, {});
}

/** `1,2,3` is three values; `[a, b]` and `"a,b"` are one. */
export function valuesIn(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = "";
  let part = "";
  for (const character of text) {
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if ("[{".includes(character)) depth += 1;
    else if ("]}".includes(character)) depth -= 1;
    if (character === "," && depth === 0 && quote === "") {
      parts.push(part);
      part = "";
    } else part += character;
  }
  return [...parts, part];
}
