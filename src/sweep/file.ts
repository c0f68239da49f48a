import { readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { configError, describeIssues } from "../config/checks/problems.js";
import { nearest } from "../config/checks/suggestions.js";
import { pathsOf } from "../config/json-schema.js";
import type { Layer } from "../config/layers/layers.js";
import { isConfigFile, nameAfter } from "../config/layers/load.js";
import { parseValue } from "../config/layers/overrides.js";
import { readYamlFile } from "../config/layers/yaml-file.js";
import { UserError } from "../errors.js";
import { axis, type Axis } from "./axes.js";
import { sweepFileSchema, type SweepFile } from "./file-schema.js";
import { valuesIn, type Locate } from "./override-layers.js";

/** What a sweep's file says, with what the command line said over it. */
export interface ReadSweep {
  /** The file as it was named, for messages. */
  readonly shownAs: string;
  /** What relative paths in the file mean. */
  readonly folder: string;
  /** What those of the command line mean. */
  readonly cwd: string;
  readonly file: SweepFile;
  readonly name: string;
  readonly scale: string | null;
  readonly seeds: readonly number[];
  /** `key=value` of the command line, the strongest settings of all. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly locate: Locate;
}

export interface SweepRequest {
  readonly path: string;
  readonly cwd: string;
  /** `key=value` is a setting of every run, `key=a,b` an axis; `seed=0,1` are the seeds. */
  readonly overrides?: readonly string[];
  readonly scale?: string | null;
  /** A preset or a file in the place of the file's own base. */
  readonly base?: string | null;
}

/** @throws UserError that lists what is wrong with the file, each with its place */
export function readSweep({ path: named, cwd, overrides = [], scale = null, base = null }: SweepRequest): ReadSweep {
  const path = shippedSweep(named) ?? named;
  const layer = readYamlFile(resolve(cwd, path), path);
  const parsed = sweepFileSchema.safeParse(layer.settings);
  if (!parsed.success) {
    throw configError(describeIssues(parsed.error.issues, layer.settings, pathsOf(sweepFileSchema)), [layer], path);
  }
  const file = base === null ? parsed.data : { ...parsed.data, base: isConfigFile(base) ? resolve(cwd, base) : base };
  const scaled = atScale(file, scale, layer, path);
  const told = withOverrides(scaled, overrides);
  requireBaseline(told.file, layer, path);
  return {
    shownAs: path,
    folder: dirname(resolve(cwd, path)),
    cwd,
    name: nameOf(told.file, path, { base, scale }),
    scale,
    seeds: seedsOf(told.file.seeds),
    ...told,
    locate: layer.locate,
  };
}

const DEFAULT_BASELINE = "standard";

/** The condition that others are compared with; null where there is none. */
export function baselineOf({ baseline, conditions }: SweepFile): string | null {
  return baseline ?? (Object.hasOwn(conditions, DEFAULT_BASELINE) ? DEFAULT_BASELINE : null);
}

function nameOf(
  file: SweepFile,
  path: string,
  { base, scale }: { readonly base: string | null; readonly scale: string | null },
): string {
  const parts = [
    file.name ?? nameAfter(path),
    ...(base === null ? [] : [nameAfter(base)]),
    ...(scale === null ? [] : [scale]),
  ];
  return parts.join("-");
}

const SHIPPED = fileURLToPath(new URL("../../configs/sweeps", import.meta.url));

/** `table2` is the sweep of that name that comes with thawline; null for what looks like a path. */
function shippedSweep(named: string): string | null {
  if (isConfigFile(named)) return null;
  const names = readdirSync(SHIPPED)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"));
  if (names.includes(named)) return join(SHIPPED, `${named}.yaml`);
  const guess = nearest(named, names);
  const known = `the sweeps that come with thawline are ${names.map((name) => `\`${name}\``).join(", ")}; a file is given by its path, like \`./my-sweep.yaml\``;
  throw new UserError({
    code: "unknown_sweep",
    message: `there is no sweep \`${named}\``,
    hint: guess === null ? known : `did you mean \`${guess}\`? (${known})`,
  });
}

export function seedsOf(seeds: SweepFile["seeds"]): readonly number[] {
  return typeof seeds === "number" ? Array.from({ length: seeds }, (_, seed) => seed) : seeds;
}

/** The file with the seeds and values of one of its scales in the place of its own. Settings of a scale are a layer. */
function atScale(file: SweepFile, scale: string | null, layer: Layer, path: string): SweepFile {
  if (scale === null) return file;
  const chosen = file.scales[scale];
  if (chosen === undefined) {
    const names = Object.keys(file.scales);
    const guess = nearest(scale, names);
    throw new UserError({
      code: "unknown_scale",
      message: `\`${path}\` has no scale \`${scale}\``,
      hint:
        guess !== null
          ? `did you mean \`--scale ${guess}\`?`
          : names.length === 0
            ? "it has no `scales`: leave `--scale` out"
            : `its scales are ${names.map((name) => `\`${name}\``).join(", ")}`,
    });
  }
  const at = ["scales", scale];
  const everywhere = Object.entries(chosen.axes).reduce(
    (left, [key, values]) => withAxis(left, key, values, placeIn(layer, [...at, "axes", key], path)),
    file,
  );
  const replaced = Object.entries(chosen.conditions).reduce(
    (left, [condition, { axes }]) =>
      withOwnAxes(left, condition, axes, placeIn(layer, [...at, "conditions", condition], path)),
    everywhere,
  );
  return { ...replaced, seeds: chosen.seeds ?? file.seeds };
}

function placeIn(layer: Layer, at: readonly string[], path: string): string {
  return layer.locate(at) ?? `\`${path}\``;
}

/** Other values of an axis that the file has, wherever it has it. */
function withAxis(file: SweepFile, key: string, values: Axis, place: string): SweepFile {
  const has = (axes: Readonly<Record<string, Axis>>): boolean => Object.hasOwn(axes, key);
  if (!has(file.axes) && !Object.values(file.conditions).some(({ axes }) => has(axes))) {
    throw new UserError({
      code: "unknown_axis",
      message: `${place}: no condition has an axis \`${key}\`, whose values a scale could replace`,
      hint: `write \`${key}\` under \`axes\` of the sweep or of a condition, or under \`set\` of the scale`,
    });
  }
  const replaced = (axes: SweepFile["axes"]): SweepFile["axes"] => (has(axes) ? { ...axes, [key]: values } : axes);
  const conditions = Object.entries(file.conditions).map(([name, condition]) => [
    name,
    { ...condition, axes: replaced(condition.axes) },
  ]);
  return { ...file, axes: replaced(file.axes), conditions: Object.fromEntries(conditions) as SweepFile["conditions"] };
}

/** Other values of the axes that a condition has. */
function withOwnAxes(file: SweepFile, name: string, axes: Readonly<Record<string, Axis>>, place: string): SweepFile {
  const condition = file.conditions[name];
  const missing = Object.keys(axes).find((key) => condition === undefined || !Object.hasOwn(condition.axes, key));
  if (condition === undefined || missing !== undefined) {
    throw new UserError({
      code: condition === undefined ? "unknown_condition" : "unknown_axis",
      message: `${place}: ${condition === undefined ? `there is no condition \`${name}\`` : `\`${name}\` has no axis \`${missing}\``}`,
      hint: "a scale replaces values of axes that the sweep has",
    });
  }
  return {
    ...file,
    conditions: { ...file.conditions, [name]: { ...condition, axes: { ...condition.axes, ...axes } } },
  };
}

const OVERRIDE = /^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)=(.*)$/s;

function withOverrides(file: SweepFile, overrides: readonly string[]): Pick<ReadSweep, "file" | "said"> {
  let changed = file;
  const said: Record<string, unknown> = {};
  for (const text of overrides) {
    const [, key, value] = OVERRIDE.exec(text) ?? [];
    if (key === undefined || value === undefined) throw notAnOverride(text);
    const values = valuesIn(value).map((part) => parseValue(part, `\`${text}\``));
    if (key === "seed") changed = { ...changed, seeds: checked(sweepFileSchema.shape.seeds, values, text) };
    else if (values.length === 1) said[key] = values[0];
    else changed = { ...changed, axes: { ...changed.axes, [key]: checked(axis, values, text) } };
  }
  return { file: changed, said };
}

function checked<T>(
  schema: { readonly safeParse: (value: unknown) => { readonly success: boolean; readonly data?: T } },
  value: unknown,
  text: string,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as T;
  throw new UserError({
    code: "invalid_override",
    message: `\`${text}\`: expected different values between commas`,
    hint: "write an axis like `train.learning_rate=0.1,0.01`, and seeds like `seed=0,1,2`",
  });
}

function notAnOverride(text: string): UserError {
  return new UserError({
    code: "invalid_override",
    message: `\`${text}\` is not of the form \`key=value\``,
    hint: "write a setting like `train.epochs=2`, or an axis like `train.learning_rate=0.1,0.01`",
  });
}

function requireBaseline({ baseline, conditions }: SweepFile, layer: Layer, path: string): void {
  if (baseline === undefined || Object.hasOwn(conditions, baseline)) return;
  const guess = nearest(baseline, Object.keys(conditions));
  throw new UserError({
    code: "unknown_condition",
    message: `${placeIn(layer, ["baseline"], path)}: there is no condition \`${baseline}\``,
    hint: guess === null ? `conditions are ${Object.keys(conditions).join(", ")}` : `did you mean \`${guess}\`?`,
  });
}
