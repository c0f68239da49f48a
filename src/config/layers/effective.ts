import type { Cause, Form } from "../forms.js";
import type { Problem } from "../checks/problems.js";
import { configInputSchema } from "../schema.js";
import { under } from "../schema-walk.js";
import { isAlternative, isSettings, valueAt, type Layer, type Path, type Settings } from "./layers.js";

/** Settings of which every one has an effect, what is wrong, and what was inherited without effect and left out. */
export interface EffectiveSettings {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** A sentence for each reason. */
  readonly leftOut: readonly string[];
  /** The same, as paths: those that a stronger setting took their effect. */
  readonly keysLeftOut: readonly Path[];
}

interface DeadKey extends Cause {
  readonly path: readonly [string, string];
  /** `refused`: whoever set it knew, or could have known, what takes its effect. `waiting`: of a preset, as it is. */
  readonly status: "refused" | "inherited" | "waiting";
}

/**
 * Finds the keys that have no effect in this configuration. One that was set by a layer at least as strong as what took
 * its effect is a mistake; a weaker, inherited one is left out, so that `run quickstart intervention.kind=none` need not
 * take back what the preset says about k. A preset may also say how to measure what it does not measure by itself: that
 * waits for someone who asks for it, and is nothing to be told of.
 */
export function effectiveSettings(
  settings: Settings,
  layers: readonly Layer[],
  forms: readonly Form[],
): EffectiveSettings {
  const dead = forms.flatMap((form) => deadKeys(settings, layers, form));
  const inherited = dead.filter(({ status }) => status === "inherited");
  return {
    settings: dead.reduce((left, { path }) => without(left, path), settings),
    problems: dead.filter(({ status }) => status === "refused").map(problemOf),
    leftOut: [...sentences(inherited), ...replaced(settings, layers)],
    keysLeftOut: inherited.map(({ path }) => path),
  };
}

function deadKeys(settings: Settings, layers: readonly Layer[], { section, schema, why }: Form): DeadKey[] {
  const written = settings[section];
  if (!isSettings(written)) return [];
  return Object.keys(written)
    .filter((key) => !Object.hasOwn(schema.shape, key) && under(under([configInputSchema], section), key).length > 0)
    .map((key) => {
      const { by, text } = why(key);
      const path = [section, key] as const;
      return { path, by, text, status: statusOf(layers, path, by) };
    });
}

function statusOf(layers: readonly Layer[], path: Path, by: readonly Path[]): DeadKey["status"] {
  const own = strength(layers, path);
  const isWeaker = own < Math.max(...by.map((cause) => strength(layers, cause)));
  if (isWeaker || layers[own]?.isShared === true) return "inherited";
  return layers[own]?.isPreset === true ? "waiting" : "refused";
}

/** Position of the strongest layer that says something about it; -1 where only a default does. */
function strength(layers: readonly Layer[], path: Path): number {
  return layers.findLastIndex(({ settings }) => valueAt(settings, path) !== undefined);
}

function without(settings: Settings, [section, key]: readonly [string, string]): Settings {
  const { [key]: _, ...rest } = settings[section] as Settings;
  return { ...settings, [section]: rest };
}

function problemOf({ path, by, text }: DeadKey): Problem {
  const key = path.join(".");
  return { paths: [path, ...by], text: `\`${key}\` has no effect: ${text}`, hint: `remove \`${key}\`` };
}

function sentences(dead: readonly DeadKey[]): string[] {
  const keysOf = new Map<string, string[]>();
  for (const { path, text } of dead) keysOf.set(text, [...(keysOf.get(text) ?? []), `\`${path.join(".")}\``]);
  return [...keysOf].map(([text, keys]) => `left out ${keys.join(", ")}, without effect: ${text}`);
}

/** A mapping of another kind takes the place of one below it, and of what that said some may be missed. */
function replaced(settings: Settings, layers: readonly Layer[]): string[] {
  const gone = layers.flatMap((layer) => leavesOf(layer.settings, []));
  const keys = gone.filter((path) => valueAt(settings, path) === undefined && !isAlternative(path));
  const named = [...new Set(keys.map((path) => `\`${path.join(".")}\``))];
  return named.length === 0 ? [] : [`left out ${named.join(", ")}: a stronger layer chose another kind`];
}

function leavesOf(settings: Settings, path: Path): Path[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    isSettings(value) ? leavesOf(value, [...path, key]) : [[...path, key]],
  );
}
