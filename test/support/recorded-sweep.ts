import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { RunConfig } from "../../src/config/attached.js";
import { loadConfig } from "../../src/config/layers/load.js";
import type { Results } from "../../src/reading/results.js";
import type { Manifest } from "../../src/runs/manifest.js";
import type { Sweep, SweptRun } from "../../src/sweep/swept-run.js";

const FOLDER = resolve(import.meta.dirname, "../../docs/results/summaries");

/** What is kept of a run in docs/results/summaries. */
interface Kept {
  readonly id: string;
  readonly config: string;
  readonly settings: readonly string[];
  readonly made_by: Pick<Manifest, "thawline" | "node" | "software" | "threads" | "promise"> & {
    readonly device?: string;
  };
  readonly results: Partial<Results>;
}

/** What results were written without before a field of it was there. */
const ADDED_LATER: Partial<Results> = {
  ended: null,
  budget: null,
  recorded: {},
  release_warmup: null,
  moved: null,
  signals_by_block: null,
  scores: null,
  best: null,
  images_from_jpeg: false,
  weights_unhashed: null,
};

/** A real sweep: the runs in docs/results/summaries whose name is `PREFIX-CONDITION-seedN`. */
export function recordedSweep(prefix: string, changes: Partial<Sweep> = {}): Sweep {
  const pattern = new RegExp(`^(${prefix}-(.+)-seed(\\d+))\\.json$`);
  const runs = readdirSync(FOLDER)
    .flatMap((file) => {
      const found = pattern.exec(file);
      return found === null ? [] : [sweptRun(found[1]!, found[2]!, Number(found[3]))];
    })
    .sort((a, b) => a.seed - b.seed);
  if (runs.length === 0) throw new Error(`docs/results has no run called ${prefix}-...`);
  return {
    name: prefix,
    title: null,
    folder: `/runs/${prefix}`,
    scale: null,
    evaluateOn: null,
    baseline: "standard",
    conditions: [...new Set(["standard", ...runs.map(({ condition }) => condition)])],
    runs,
    ...changes,
  };
}

/** The configuration with which a run in docs/results/summaries was made; null where there is no such run. */
export function recordedConfig({ folder }: SweptRun): RunConfig | null {
  const id = basename(folder);
  if (!existsSync(join(FOLDER, `${id}.json`))) return null;
  const { config: source, settings } = readKept(id);
  const overrides = settings.some((text) => text.startsWith("data.kind="))
    ? [...settings, "data.path=/cifar10"]
    : settings;
  return loadConfig({ source, overrides, cwd: "/" });
}

function readKept(id: string): Kept {
  return JSON.parse(readFileSync(join(FOLDER, `${id}.json`), "utf8")) as Kept;
}

function sweptRun(id: string, condition: string, seed: number): SweptRun {
  const kept = readKept(id);
  return {
    id,
    condition,
    seed,
    axes: {},
    folder: `/runs/${id}`,
    standing: "finished",
    takenFrom: null,
    results: completed(kept.results),
    manifest: { ...MANIFEST, ...kept.made_by, run: id, seed, device: kept.made_by.device ?? "cpu" },
    failure: null,
  };
}

function completed(results: Partial<Results>): Results {
  const ood: Partial<NonNullable<Results["ood"]>> | null = results.ood ?? null;
  const whole = ood === null ? null : { left_out: {}, made_with: {}, ...ood };
  return { ...ADDED_LATER, ...results, ood: whole } as Results;
}

const MANIFEST: Manifest = {
  run: "",
  thawline: "",
  node: "",
  software: null,
  host: "host",
  device: null,
  threads: null,
  data: null,
  pretrained: null,
  script: null,
  slurm_job: null,
  given_weights: null,
  seed: 0,
  promise: "",
};

/** A run like another one, with other results. */
export function runWith(run: SweptRun, changes: Partial<SweptRun>, results: Partial<Results> = {}): SweptRun {
  return { ...run, ...changes, results: run.results === null ? null : { ...run.results, ...results } };
}

/** Out of distribution everything as it was but the mean. */
export function withOod(run: SweptRun, changes: Partial<SweptRun>, mean: number): SweptRun {
  const ood = run.results?.ood ?? null;
  return runWith(run, changes, ood === null ? {} : { ood: { ...ood, mean } });
}
