import type { RunConfig } from "../../src/config/attached.js";
import type { MetricValue } from "../../src/protocol/messages.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "./simulated-run.js";

export type Recorded = Readonly<Record<string, MetricValue>>;

const RULE = { signal: "recorded:loss", rule: "plateau", mode: "min", tau: 2, k_max: 40 } as const;

/** No point of a signal, no checkpoint: nothing but what is recorded makes a boundary. */
export const QUIET = ["checkpoint.every=1000", "probe.every=1000"];

/**
 * A run whose k is found by the plateau of `loss`, unless the overrides say something of its intervention. It records as
 * only scripts do, and its worker can be killed and resumed as only that of a built-in training.
 */
export function recordedRun(record: (step: number) => Recorded, ...overrides: string[]): SimulatedRun {
  const base = simulatedConfig(...overrides);
  const byLoss = { ...base, intervention: { ...base.intervention, ...RULE } } as RunConfig;
  const config = overrides.some((one) => one.startsWith("intervention.")) ? base : byLoss;
  return new SimulatedRun(config, trainingOf(config, { record }));
}

/** Every third update a loss that stops falling. */
export const LOSSES = [8, 4, 2, 1, 1, 1, 1];

export function plateau(step: number): Recorded {
  return step % 3 === 0 ? { loss: LOSSES[step / 3 - 1] ?? 1 } : {};
}
