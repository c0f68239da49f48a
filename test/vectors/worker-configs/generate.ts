/**
 * What the controller sends of configurations of every kind, for the Python side to read: its types are held to these.
 * test/controller/worker-config.test.ts compares the committed file with this; after a change write it with
 *
 *     npx vitest run test/controller/worker-config.test.ts --update
 */
import { loadAttachedConfig } from "../../../src/config/attached.js";
import { listPresets } from "../../../src/config/layers/presets.js";
import { loadConfig } from "../../../src/config/layers/load.js";
import { METRICS } from "../../../src/metrics.js";
import { workerConfig, type WorkerConfig } from "../../../src/controller/worker-config.js";

/** Folders that need not be there, and nothing of this machine. */
const FOLDERS = ["data.path=/data", "device.threads=2"];
const TEXT = ["model.pretrained=/encoder", "model.revision=null", "device.threads=2"];
const ALL_METRICS = `probe.metrics=[${METRICS.join(",")}]`;

const VARIANTS: Record<string, readonly [preset: string, ...overrides: string[]]> = {
  "every metric to the end": ["quickstart", ...FOLDERS, ALL_METRICS, "probe.until=end", "intervention.k=40"],
  "sharpness as in the paper": ["mnist-resnet18", ...FOLDERS, ALL_METRICS],
  "fixed k": ["quickstart", ...FOLDERS, "intervention.k=40"],
  "no intervention": ["quickstart", ...FOLDERS, "intervention.kind=none"],
  switch: ["quickstart", ...FOLDERS, "intervention.kind=learning_rate_switch", "intervention.start=5"],
  "head, then full": ["quickstart", ...FOLDERS, "intervention.kind=head_then_full"],
  "calibrated, bottom up": [
    "quickstart",
    ...FOLDERS,
    "intervention.frozen_batch_norm=calibrate",
    "intervention.order=bottom_up",
  ],
  "release warm-up": ["quickstart", ...FOLDERS, "intervention.k=40", "intervention.release_warmup=20"],
  "image folder": ["quickstart", ...FOLDERS, "data.kind=image_folder", "evaluate.ood=none"],
  "classes of a folder": [
    "quickstart",
    ...FOLDERS,
    "data.kind=image_folder",
    "data.classes=[cat, dog]",
    "data.max_train_per_class=50",
    "evaluate.ood=none",
  ],
  "published corruptions": ["cifar10-resnet18", ...FOLDERS, "evaluate.ood_path=/cifar-c"],
  "own model": ["quickstart", ...FOLDERS, "model={kind: 'a.b:build', folder: /own, blocks: [{name: x, pattern: x}], head: y}"],
  "given weights, stem of ImageNet": ["quickstart", ...FOLDERS, "model.weights=/weights", "model.weights_head=new", "model.stem=imagenet"],
  "development set": ["quickstart", ...FOLDERS, "evaluate.development=500", "evaluate.every=50", "evaluate.keep=best"],
  adamw: ["quickstart", ...FOLDERS, "train.optimizer=adamw", "train.schedule=linear"],
  "other adapter": ["xquad-small", ...TEXT, "data.path=/data", "model.adapter={method: ia3, targets: [key]}"],
  "text without an intervention": ["xquad-small", ...TEXT, "data.path=/data", "intervention.kind=none"],
};

const SCRIPTS: Record<string, readonly string[]> = {
  script: [],
  "script with a fixed k": ["intervention.k=9"],
  "script with a release warm-up": ["intervention.k=9", "intervention.release_warmup=5"],
  "script, sharpness": ["probe.metrics=[sharpness_worst]", "intervention.signal=sharpness_worst"],
};

export function workerConfigs(): Record<string, WorkerConfig> {
  const presets = listPresets().map(({ name }) => {
    const isText = name.includes("xlmr") || name.startsWith("xquad");
    const overrides = isText ? [...TEXT, ...(name.startsWith("xquad") ? ["data.path=/data"] : [])] : FOLDERS;
    return [name, workerConfig(loadConfig({ source: name, overrides, cwd: "/" }))] as const;
  });
  const variants = Object.entries(VARIANTS).map(([name, [source, ...overrides]]) => {
    return [name, workerConfig(loadConfig({ source, overrides, cwd: "/" }))] as const;
  });
  const script = { command: ["python", "train.py"] as [string, string], folder: "/home/me", restart: false };
  const scripts = Object.entries(SCRIPTS).map(([name, overrides]) => {
    return [name, workerConfig(loadAttachedConfig({ file: null, overrides, env: {}, cwd: "/", script }))] as const;
  });
  return Object.fromEntries([...presets, ...variants, ...scripts]);
}
