import type { Config } from "../../config/schema.js";
import { experimentOf, isClose, relativeRate } from "./methods.js";
import type { Experiment } from "./values.js";
import type { Arm } from "../tables/arms.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";

/** An arm of one of the paper's experiments, whatever its size, with what the paper's figures tell arms apart by. */
export interface PaperArm {
  readonly arm: Arm;
  readonly config: Config;
  readonly experiment: Experiment;
  /** A multiple of the paper's learning rate. */
  readonly rate: number;
  readonly how: "standard" | "fixed k" | "online" | "switch" | "other";
}

export function paperArms({ configs }: SweepFacts, arms: readonly Arm[]): PaperArm[] {
  return arms.flatMap((arm): PaperArm[] => {
    const config = configs.get(arm.planned[0]!.id) ?? null;
    if (config === null || config.script !== undefined) return [];
    const experiment = experimentOf(config);
    if (experiment === null) return [];
    return [{ arm, config, experiment, rate: relativeRate(config, experiment), how: howOf(config) }];
  });
}

function howOf({ intervention }: Config): PaperArm["how"] {
  switch (intervention.kind) {
    case "none":
      return "standard";
    case "learning_rate_switch":
      return "switch";
    case "gradual_unfreezing":
      return intervention.k === "online" ? "online" : "fixed k";
    default:
      return "other";
  }
}

export function isAtRate({ rate }: PaperArm, wanted: number): boolean {
  return isClose(rate, wanted);
}

export function isOfText({ experiment }: PaperArm): boolean {
  return experiment === "SQuAD XLM-R" || experiment === "MNLI XLM-R";
}
