import { loadConfig } from "../../src/config/layers/load.js";
import type { RunConfig } from "../../src/config/attached.js";
import type { Config } from "../../src/config/schema.js";
import { detectorRule, measuredBy } from "../../src/core/measured.js";
import { asEnvironment } from "./as-environment.js";
import { startOf } from "../../src/core/intervention/counting.js";
import type { MetricValue, Order } from "../../src/protocol/messages.js";

/** What a training is, as far as the controller can see it. */
export interface Training {
  readonly blocks: readonly string[];
  readonly numUpdates: number;
  readonly updatesPerEpoch: number;
  /** What it can do besides training. */
  readonly can: readonly Order[];
  /** Boundaries of the signal's points: `start`, and from there on every `every`. */
  readonly start: number;
  readonly every: number;
  readonly tau: number;
  /** The signal at boundary `update`: a function of nothing else, so that measuring again gives the same bits. */
  readonly signal: (update: number) => MetricValue;
  /** Seconds of one update and of one measurement; null: a boundary takes the same whatever it holds. */
  readonly cost: { readonly update: number; readonly point: number } | null;
  /** The score on the development set after `step` updates. */
  readonly score: (step: number) => MetricValue;
  /** The loss there. */
  readonly loss: (step: number) => number;
  /** What it records after `step` updates. */
  readonly record?: (step: number) => Readonly<Record<string, MetricValue>>;
}

/** What a worker can that has a development set. */
const CHOOSING = ["validate", "keep_best", "restore_best"] as const;

/** What a script announces; the built-in worker is told by the configuration. */
const NUM_UPDATES = 60;

/** 60 updates, three blocks, a point every second update. */
const OVERRIDES = [
  "train.updates=60",
  "probe.every=2",
  "checkpoint.every=7",
  "evaluate.ood=none",
  "supervision.max_restarts=1000",
];

export function simulatedConfig(...overrides: string[]): Config {
  return simulatedConfigOver([], ...overrides);
}

/** With `inherited` settings, which those after them may leave without effect. */
export function simulatedConfigOver(inherited: readonly string[], ...overrides: string[]): Config {
  const env = asEnvironment([...OVERRIDES, ...inherited]);
  return loadConfig({ source: "quickstart", overrides, env, cwd: process.cwd() });
}

/** The same, as a run on text that leaves the best weights of its development set. */
export function simulatedTextConfig(...overrides: string[]): Config {
  const best = ["evaluate.every=9", "evaluate.keep=best", "intervention.k_max=null", "device.threads=1"];
  const standard = OVERRIDES.filter((override) => !override.startsWith("evaluate."));
  const env = asEnvironment(["data.path=/data/xquad", "model.pretrained=/data/encoder", ...standard, ...best]);
  return loadConfig({ source: "xquad-small", overrides, env, cwd: process.cwd() });
}

export const BLOCKS = ["block3", "block2", "block1"];

export function trainingOf(config: RunConfig, more: Partial<Training> = {}): Training {
  const points = { start: startOf(config.intervention), every: measuredBy(config)?.every ?? 1 };
  // Rises and settles: the rule fires at point 8 with a window of 3.
  const signal = (update: number): number => 1 - 0.3 ** pointAt(points, update);
  const numUpdates = config.train?.updates ?? NUM_UPDATES;
  const { tau } = detectorRule(config);
  const chooses = config.evaluate?.every != null;
  const can: Training["can"] = ["checkpoint", "evaluate", ...(chooses ? CHOOSING : [])];
  // Rises, and falls towards the end.
  const score = (step: number): number => step * (NUM_UPDATES - step);
  // Falls, and stays.
  const loss = (step: number): number => Math.max(0.3, 0.9 ** step);
  return {
    blocks: BLOCKS,
    numUpdates,
    updatesPerEpoch: numUpdates,
    can,
    ...points,
    tau,
    signal,
    cost: null,
    score,
    loss,
    ...more,
  };
}

/** Which point of a signal belongs to boundary `update`. */
export function pointAt({ start, every }: Pick<Training, "start" | "every">, update: number): number {
  return update === start ? 0 : (update - start + 1) / every;
}
