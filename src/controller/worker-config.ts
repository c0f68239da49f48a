import type { AttachedConfig, RunConfig } from "../config/attached.js";
import type { Config, MeasuredProbe } from "../config/schema.js";
import { startOf } from "../core/intervention/counting.js";
import { kindOf } from "../core/intervention/kinds.js";
import { onlineRule } from "../core/intervention/online-rule.js";
import { measuredBy, measuredRule } from "../core/measured.js";
import { isRecorded } from "../metrics.js";
import type { Body } from "../protocol/messages.js";

/**
 * What a worker reads of a run's configuration, and nothing else: what it is to train and measure, not what is decided
 * from it. `welcome` carries it; python/thawline/config/run.py has its types.
 */
export type WorkerConfig = Body<"welcome">["config"];

export function workerConfig(config: RunConfig): WorkerConfig {
  return config.script === undefined ? ofTraining(config) : ofScript(config);
}

function ofTraining(config: Config): WorkerConfig {
  const { name, seed, model, data, train, evaluate, device } = config;
  const common = {
    seed,
    model: modelOf(model),
    data: "augment" in data ? { ...NOT_OF_ALL_IMAGES, ...data } : data,
    train: orNull({ momentum: undefined, ...train }),
    probe: probeOf(config),
    device: { kind: device.kind, threads: device.threads, precision: device.precision },
    groups_by_block: warmsUp(config),
  };
  if (!("augment" in data)) {
    const { intervention } = config;
    const freezes = kindOf(intervention).refusal("unfreeze") === null;
    const card = { name, intervention: intervention.kind, start: startOf(intervention), freezes };
    return { ...common, evaluate: { batch_size: evaluate.batch_size }, card };
  }
  return { ...common, evaluate: imageEvaluation(evaluate), frozen_batch_norm: frozenBatchNorm(config) };
}

/** Keys that not every kind of images has. */
const NOT_OF_ALL_IMAGES = { verify_checksums: false, classes: null, max_train_per_class: null };

/** What a network was before these keys were there: a run that goes on may have been made then. */
const BEFORE_WEIGHTS: Readonly<Record<string, unknown>> = {
  weights: null,
  weights_sha256: null,
  weights_head: "fitting",
};
const BEFORE_STEMS: Readonly<Record<string, unknown>> = { stem: "cifar" };

function modelOf(model: Config["model"]): Readonly<Record<string, unknown>> {
  if (model.kind === "encoder") return model;
  return { ...(model.kind === "resnet18" ? BEFORE_STEMS : {}), ...BEFORE_WEIGHTS, ...model };
}

function ofScript(config: AttachedConfig): WorkerConfig {
  const rule = onlineRule(config.intervention);
  const needsProbe = rule !== null && !isRecorded(rule.signal);
  return { seed: config.seed, probe: probeOf(config), needs_probe: needsProbe, groups_by_block: warmsUp(config) };
}

/** Whether learning rates will differ between blocks: then each has groups of the optimizer of its own from the start. */
function warmsUp({ intervention }: RunConfig): boolean {
  return "release_warmup" in intervention && (intervention.release_warmup ?? null) !== null;
}

/** Keys that this form of the configuration does not have, as null: the worker reads them nowhere. */
function orNull(section: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(section).map(([key, value]) => [key, value ?? null]));
}

/** How signals are measured; null where none ever is. */
function probeOf(config: RunConfig): Readonly<Record<string, unknown>> | null {
  const probe = measuredBy(config);
  if (probe === null) return null;
  const { metrics: _, until: __, budget: ___, ...how } = probe satisfies MeasuredProbe;
  return { ...how, tau: measuredRule(config).tau, start: startOf(config.intervention) };
}

/** What frozen BatchNorm layers do; null where they do nothing special, or nothing is frozen. */
function frozenBatchNorm({ intervention }: Config): Readonly<Record<string, unknown>> | null {
  const mode = "frozen_batch_norm" in intervention ? (intervention.frozen_batch_norm ?? "track") : "track";
  if (mode === "track") return null;
  // A release changes what flows into layers that stay frozen, for every order but from the top down.
  const recalibrates = "order" in intervention && intervention.order !== "top_down";
  return { mode, recalibrates, start: startOf(intervention) };
}

function imageEvaluation(evaluate: Config["evaluate"]): Readonly<Record<string, unknown>> {
  const { batch_size, ood, ood_path, corruptions, frost_textures, images_per_corruption, development } = evaluate;
  return orNull({ batch_size, ood, ood_path, corruptions, frost_textures, images_per_corruption, development });
}
