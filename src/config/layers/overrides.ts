import { parseDocument } from "yaml";
import { UserError } from "../../errors.js";
import type { Layer, Path, Settings } from "./layers.js";
import { withAbsolutePaths } from "./relative-paths.js";
import { valueOf, YamlFault } from "./yaml-value.js";

/** How variables that are settings begin. */
export const ENVIRONMENT_PREFIX = "THAWLINE_CONFIG__";
const KEY = /^[a-z][a-z0-9_]*$/;

interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where it was written, in words for an error message. */
  readonly place: string;
}

/**
 * `a.b=value` arguments of the command line; a value is a YAML scalar or flow collection (`3`, `true`, `[x, y]`).
 *
 * @throws UserError for an argument of another form
 */
export function commandLineLayer(overrides: readonly string[], folder: string): Layer {
  return layerOf(
    overrides.map((text) => {
      const equals = text.indexOf("=");
      const path = text.slice(0, Math.max(equals, 0)).split(".");
      if (equals < 0 || !path.every((key) => KEY.test(key))) {
        throw new UserError({
          code: "invalid_override",
          message: `\`${text}\` is not of the form \`key=value\``,
          hint: "write settings like `train.learning_rate=0.1`",
        });
      }
      return { path, value: parseValue(text.slice(equals + 1), `\`${text}\``), place: "command line" };
    }),
    folder,
  );
}

/**
 * Variables such as `THAWLINE_CONFIG__TRAIN__LEARNING_RATE=0.1`, with two underscores between the keys.
 *
 * @throws UserError for a value that is not YAML
 */
export function environmentLayer(env: NodeJS.ProcessEnv, folder: string): Layer {
  const entries: Entry[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined) continue;
    const path = name.slice(ENVIRONMENT_PREFIX.length).toLowerCase().split("__");
    const place = `environment variable \`${name}\``;
    entries.push({ path, value: parseValue(text, place), place });
  }
  return layerOf(entries, folder);
}

function layerOf(entries: readonly Entry[], folder: string): Layer {
  return {
    settings: withAbsolutePaths(entries.reduce<Settings>(withEntry, {}), folder),
    // The last entry that touches the key, because it is the one whose value stands.
    locate: (path) => entries.findLast((entry) => touches(entry.path, path))?.place ?? null,
  };
}

function withEntry(settings: Settings, { path, value }: Pick<Entry, "path" | "value">): Settings {
  const [key, ...rest] = path;
  if (key === undefined) return settings;
  const under = settings[key];
  const mapping = typeof under === "object" && under !== null && !Array.isArray(under) ? (under as Settings) : {};
  return { ...settings, [key]: rest.length === 0 ? value : withEntry(mapping, { path: rest, value }) };
}

/** Whether one path leads to or through the other. */
export function touches(written: Path, asked: Path): boolean {
  return written.slice(0, asked.length).every((key, index) => key === asked[index]);
}

/**
 * A YAML scalar or flow collection.
 *
 * @param place where it was written, in words
 * @throws UserError `invalid_override`
 */
export function parseValue(text: string, place: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw invalid(`${place}: the value \`${text}\` is not valid YAML`, fault);
  try {
    return valueOf(document);
  } catch (error) {
    if (error instanceof YamlFault) throw invalid(`${place}: in the value \`${text}\`, ${error.message}`, error);
    throw error;
  }
}

function invalid(message: string, cause: unknown): UserError {
  const hint = "put a text with special characters between double quotes";
  return new UserError({ code: "invalid_override", message, hint, cause });
}
