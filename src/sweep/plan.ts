import { createHash } from "node:crypto";
import { relative, resolve } from "node:path";
import { loadAttachedConfig, type RunConfig } from "../config/attached.js";
import { valueAt, type Layer, type Path } from "../config/layers/layers.js";
import { isConfigFile, loadConfig } from "../config/layers/load.js";
import { canonical } from "../core/training-identity.js";
import { UserError } from "../errors.js";
import type { SlurmSettings } from "../slurm/schema.js";
import { gridOf } from "./axes.js";
import { describeAxes } from "../words/sweep.js";
import type { Contents } from "./content.js";
import { requireScore } from "./evaluated-on.js";
import { baselineOf, type ReadSweep } from "./file.js";
import { LeftOut } from "./left-out.js";
import { axesLayer, overridesLayer } from "./override-layers.js";
import { scriptOf, withoutScript } from "./script.js";
import type { Scalar } from "./swept-run.js";

export interface PlannedRun {
  /** Name of its folder: condition, seed and a hash of its configuration with contents in the place of paths. */
  readonly id: string;
  readonly condition: string;
  readonly seed: number;
  readonly axes: Readonly<Record<string, Scalar>>;
  /** As this machine starts it. */
  readonly config: RunConfig;
  /** The same with contents in the place of paths. */
  readonly portable: RunConfig;
}

/** What is to be run, in order: by seed, and within a seed as the file lists its conditions. */
export interface Plan {
  readonly name: string;
  readonly title: string | null;
  readonly scale: string | null;
  readonly baseline: string | null;
  readonly evaluateOn: string | null;
  readonly conditions: readonly string[];
  readonly perGpu: number;
  readonly retries: number;
  readonly runs: readonly PlannedRun[];
  /** What tasks on a cluster ask of it; left out where the file says nothing. */
  readonly slurm?: SlurmSettings;
  /** What conditions leave out of the settings they inherit, a sentence each. */
  readonly leftOut: readonly string[];
}

/**
 * The runs of a sweep. Reads the files that it names and nothing else: neither what exists, nor the machine.
 *
 * @throws UserError for a setting without effect, a condition or an axis that changes nothing, and all that a
 * configuration can be refused for
 */
export async function planOf(sweep: ReadSweep, contents: Contents): Promise<Plan> {
  const { file, name, scale, seeds } = sweep;
  const told = new LeftOut();
  const conditions = Object.keys(file.conditions);
  const points = seeds.flatMap((seed) =>
    conditions.flatMap((condition) => gridOf(axesOf(sweep, condition)).map((axes) => ({ seed, condition, axes }))),
  );
  const runs: PlannedRun[] = [];
  for (const { seed, condition, axes } of points) {
    const config = await contents.withWeights(configOf(sweep, condition, seed, axes, told));
    const portable = contents.inPlaceOfPaths(config);
    runs.push({ id: idOf(condition, seed, portable), condition, seed, axes, config, portable });
  }
  told.refuseWithoutAnyEffect(sweep);
  runs.forEach(requireEvery);
  requireDifferent(runs, sweep);
  if (file.evaluate_on !== undefined) {
    for (const run of runs) requireScore(file.evaluate_on, run, sweep.locate(["evaluate_on"]));
  }
  return {
    name,
    title: file.report.title ?? null,
    scale,
    baseline: baselineOf(file),
    evaluateOn: file.evaluate_on ?? null,
    conditions,
    perGpu: file.per_gpu,
    retries: file.retries,
    runs,
    leftOut: told.sentences(),
    ...(file.slurm === undefined ? {} : { slurm: file.slurm }),
  };
}

/** A condition's own axes after those of all. */
function axesOf({ file }: ReadSweep, condition: string): ReadSweep["file"]["axes"] {
  return { ...file.axes, ...file.conditions[condition]!.axes };
}

function idOf(condition: string, seed: number, { name: _, ...portable }: RunConfig): string {
  const hash = createHash("sha256").update(canonical(portable)).digest("hex");
  return `${condition}-seed${seed}-${hash.slice(0, 10)}`;
}

/** Weakest to strongest: what the file says of all runs, its scale, its condition, the axes, the command line. */
function layersOf(sweep: ReadSweep, condition: string, seed: number, axes: Readonly<Record<string, Scalar>>): Layer[] {
  const { file, scale, said, folder, cwd, locate, name } = sweep;
  const one = withoutScript;
  const layer = (settings: Readonly<Record<string, unknown>>, at: Path): Layer =>
    overridesLayer(one(settings), at, locate, folder);
  const machine = typeof file.base === "string" ? { "device.threads": file.threads } : {};
  const placeOf = (key: string): string | null =>
    (scale === null ? null : locate(["scales", scale, "conditions", condition, "axes", key])) ??
    (scale === null ? null : locate(["scales", scale, "axes", key])) ??
    locate(["conditions", condition, "axes", key]) ??
    locate(["axes", key]) ??
    "command line";
  const above: Layer[] = [
    { ...layer({ name: name.slice(0, 64), ...file.set }, ["set"]), ...SHARED },
    ...(scale === null ? [] : [{ ...layer(file.scales[scale]!.set, ["scales", scale, "set"]), ...SHARED }]),
    layer(file.conditions[condition]!.set, ["conditions", condition, "set"]),
    { settings: { seed }, locate: (path) => (path[0] === "seed" ? locate(["seeds"]) : null) },
    axesLayer(one(axes), placeOf, folder),
    axesLayer(one(said), () => "command line", cwd),
  ];
  for (const { settings, locate: at } of above) requireNumber(valueAt(settings, THREADS), at(THREADS));
  return [
    { ...layer(machine, ["threads"]), locate: (path) => (path[0] === "device" ? locate(["threads"]) : null) },
    ...above,
  ];
}

const THREADS = ["device", "threads"];
/** A setting of the whole sweep is left out where a condition has no use for it; one that none has is refused. */
const SHARED = { isShared: true } as const;

/** Nothing of a run may depend on the machine that it happens to be run on. */
function requireNumber(threads: unknown, place: string | null): void {
  if (threads !== "auto") return;
  throw new UserError({
    code: "invalid_sweep",
    message: `${place ?? "command line"}: \`device.threads\` is \`auto\`, which is another number on another machine`,
    hint: "write a number: runs with other numbers of threads have other weights",
  });
}

function configOf(
  sweep: ReadSweep,
  condition: string,
  seed: number,
  axes: Readonly<Record<string, Scalar>>,
  told: LeftOut,
): RunConfig {
  const { file, folder, cwd } = sweep;
  const layers = layersOf(sweep, condition, seed, axes);
  const hears = {
    onLeftOut: (sentence: string) => told.sentence(condition, sentence),
    onKeyLeftOut: (key: Path) => told.key(key.join("."), condition),
  };
  try {
    if (typeof file.base === "string") {
      // A file is found from the sweep's; what a preset names, from where the person is, as in a run of it.
      const source = isConfigFile(file.base) ? pathFrom(cwd, resolve(folder, file.base)) : file.base;
      return loadConfig({ source, layers, cwd, ...hears });
    }
    const { config = null, folder: start, restart } = file.base;
    const values = { ...file.set, ...scaleSet(sweep), ...file.conditions[condition]!.set, ...axes, ...sweep.said };
    const command = scriptOf(sweep, { condition, seed, values });
    const script = { command, folder: resolve(folder, start), restart };
    return loadAttachedConfig({ file: config, overrides: [], env: {}, layers, cwd: folder, script, ...hears });
  } catch (error) {
    throw error instanceof UserError ? inCondition(error, condition, sweep) : error;
  }
}

/** As short as it still looks like a path. */
function pathFrom(folder: string, path: string): string {
  const short = relative(folder, path);
  return isConfigFile(short) ? short : `./${short}`;
}

function scaleSet({ file, scale }: ReadSweep): Readonly<Record<string, unknown>> {
  return scale === null ? {} : file.scales[scale]!.set;
}

function inCondition({ code, message, hint, cause }: UserError, condition: string, { shownAs }: ReadSweep): UserError {
  return new UserError({ code, message: `condition \`${condition}\` of \`${shownAs}\`: ${message}`, hint, cause });
}

/** A budget chooses `every` by seconds, so that runs of one sweep would have other points, and other rules. */
function requireEvery({ condition, config: { probe } }: PlannedRun): void {
  if (!("budget" in probe) || probe.budget == null) return;
  throw new UserError({
    code: "invalid_sweep",
    message: `condition \`${condition}\` has a \`probe.budget\`, by which each run would choose its own \`probe.every\``,
    hint: "see what it chooses with `npx thawline run ... --dry-run`, and write that `probe.every` for all runs",
  });
}

/** Two runs of one configuration would be one comparison too many, under two names. */
function requireDifferent(runs: readonly PlannedRun[], { shownAs }: ReadSweep): void {
  const seen = new Map<string, PlannedRun>();
  for (const run of runs) {
    const { name: _, ...portable } = run.portable;
    const key = canonical(portable);
    const other = seen.get(key);
    if (other !== undefined) throw same(other, run, shownAs);
    seen.set(key, run);
  }
}

function same(one: PlannedRun, other: PlannedRun, shownAs: string): UserError {
  const isAxis = one.condition === other.condition;
  const what = isAxis
    ? `in condition \`${one.condition}\`, ${describeAxes(one.axes)} and ${describeAxes(other.axes)} are the same run`
    : `conditions \`${one.condition}\` and \`${other.condition}\` are the same run${describeAxes(one.axes) === "" ? "" : ` (${describeAxes(other.axes) || describeAxes(one.axes)})`}`;
  return new UserError({
    code: "invalid_sweep",
    message: `\`${shownAs}\`: ${what}`,
    hint: isAxis
      ? "take that axis out: it changes nothing there"
      : "take one of the two out, or let it change a setting",
  });
}
