import type { RunConfig } from "../../config/attached.js";
import type { Config } from "../../config/schema.js";
import { TABLE_5, tableSettings } from "../../config/table-5.js";
import { onlineRule } from "../../core/intervention/online-rule.js";
import type { Experiment, PaperMethod } from "./values.js";

/** Seeds of each experiment (section 4). */
export function paperSeeds(experiment: Experiment): number {
  return experiment === "MNIST RN18" ? 6 : 4;
}

/**
 * Which of the paper's experiments a run is a counterpart of: by its data and its kind of network, whatever its size.
 * Null where there is none. CIFAR-10 from a folder of images is known by the name of its folder.
 */
export function experimentOf(config: RunConfig): Experiment | null {
  if (config.script !== undefined) return null;
  const { model, data } = config;
  if (data.kind === "question_answering") return "SQuAD XLM-R";
  if (data.kind === "sentence_pairs") return "MNLI XLM-R";
  const set = data.kind === "image_folder" ? folderOfCifar(data.path) : data.kind;
  if (model.kind === "vgg11") return set === "cifar10" ? "CIFAR10 VGG11" : null;
  if (model.kind !== "resnet18") return null;
  const ofResnet = { mnist: "MNIST RN18", cifar10: "CIFAR10 RN18", cifar100: "CIFAR100 RN18" } as const;
  return set in ofResnet ? ofResnet[set as keyof typeof ofResnet] : null;
}

function folderOfCifar(path: string): string {
  const found = /cifar[-_ ]?(100?)(?!\d)/i.exec(path);
  return found === null ? "" : `cifar${found[1]!}`;
}

/** Whether a run trains as a row of the paper's tables does. */
export function isOfMethod(config: RunConfig, experiment: Experiment, method: PaperMethod): boolean {
  if (config.script !== undefined) return false;
  const rate = relativeRate(config, experiment);
  const { intervention } = config;
  const { decidedBy } = method;
  const signal = onlineRule(intervention)?.signal ?? null;
  const decided = decidedBy === null || (decidedBy === "search" ? signal === null : signal === decidedBy);
  switch (method.intervention) {
    case "none":
    case "gradual_unfreezing":
      return intervention.kind === method.intervention && decided && isClose(rate, method.rate);
    case "low_to_high":
    case "high_to_low": {
      if (intervention.kind !== "learning_rate_switch" || !decided) return false;
      const rises = method.intervention === "low_to_high";
      return (
        isClose(rate * intervention.before, rises ? 0.1 : 1) && isClose(rate * intervention.after, rises ? 1 : 0.1)
      );
    }
  }
}

/** The learning rate as a multiple of the paper's. */
export function relativeRate(config: Config, experiment: Experiment): number {
  return config.train.learning_rate / settingsOf(experiment).learning_rate;
}

export function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}

function settingsOf(experiment: Experiment): (typeof TABLE_5)[number]["settings"] {
  return TABLE_5.find(({ title }) => title === experiment)!.settings;
}

/** Settings in which a run differs from Table 5, but the learning rate, with the paper's in parentheses. */
export function departures(config: RunConfig, experiment: Experiment): string[] {
  if (config.script !== undefined) return [];
  const paper: Readonly<Record<string, string | number | null>> = { ...settingsOf(experiment) };
  const ours = Object.entries({ ...tableSettings(config), learning_rate: paper["learning_rate"] });
  const differing = ours.filter(([name, value]) => (value ?? null) !== (paper[name] ?? null));
  return [
    ...differing.map(([name, value]) => `${name} ${written(value)} (${written(paper[name])})`),
    ...lengthInUpdates(config),
    ...sizeOf(config.model),
  ];
}

function written(value: string | number | null | undefined): string {
  return String(value ?? "none");
}

function lengthInUpdates({ train: { updates } }: Config): string[] {
  return updates === null ? [] : [`${updates} updates`];
}

function sizeOf(model: Config["model"]): string[] {
  return model.kind === "resnet18" && model.width !== 64 ? [`width ${model.width} (64)`] : [];
}
