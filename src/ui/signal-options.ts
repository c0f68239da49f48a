import type { RunConfig } from "../config/attached.js";
import { signalName } from "./names.js";

type Probe = RunConfig["probe"];

/**
 * With what options a run's signals were measured, none of which a value should be read without: first what they have
 * in common, then a sentence each. Empty where the run measures none.
 */
export function describeSignals({ probe }: RunConfig): string[] {
  if (probe.metrics.length === 0) return [];
  const points = "points" in probe ? `, over ${probe.points} training examples in batches of ${probe.batch_size}` : "";
  const parameters = probe.scope === "trainable" ? "the trainable parameters" : "all parameters";
  return [
    `every ${probe.every} updates, of ${parameters}${points}`,
    ...probe.metrics.flatMap((metric) => {
      const options = OPTIONS[metric]?.(probe);
      return options === undefined ? [] : [`${signalName(metric)}: ${options}`];
    }),
  ];
}

const LABELS: Readonly<Record<Probe["labels"], string>> = {
  sampled: "labels sampled from the model",
  exact: "the exact mean over all labels",
  argmax: "labels argmax, which is not the Fisher trace",
  true: "the data's own labels, which is the empirical Fisher and not the Fisher trace",
};

const OPTIONS: Readonly<Partial<Record<Probe["metrics"][number], (probe: Probe) => string>>> = {
  fisher_trace: ({ labels, estimator }) =>
    `${LABELS[labels]}, ${estimator === "batch" ? "squared gradients of whole batches, without an error" : "per example"}`,
  sharpness_avg: ({ rho, draws }) => `rho ${rho}, ${draws} draws a batch`,
  sharpness_worst: ({ rho, iterations, worst_value: value }) =>
    `rho ${rho}, ${iterations} iterations of APGD a batch, the ${value === "best" ? "best" : "last"} loss of the search`,
};
