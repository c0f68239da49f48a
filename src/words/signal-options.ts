import type { RunConfig } from "../config/attached.js";
import type { MeasuredProbe } from "../config/schema.js";
import { measuredBy } from "../core/measured.js";
import { METRIC_TABLE, type ProbeOption } from "../metrics.js";
import { signalName } from "./names.js";

/**
 * With what options a run's signals were measured, none of which a value should be read without: first what they have
 * in common, then a sentence for each that has some of its own. Empty where the run measures none.
 */
export function describeSignals(config: RunConfig): string[] {
  const probe = measuredBy(config);
  if (probe === null || probe.metrics.length === 0) return [];
  const points =
    probe.points === undefined
      ? ""
      : `, over ${probe.points} training examples in batches of ${probe.batch_size ?? probe.points}`;
  const scope = probe.scope === undefined ? "" : OPTION_WORDS.scope(probe);
  return [
    [`every ${probe.every} updates`, ...(scope === "" ? [] : [scope])].join(", ") + points,
    ...probe.metrics.flatMap((metric) => {
      const options: readonly ProbeOption[] = METRIC_TABLE[metric].options;
      const own = options.filter((option) => option !== "scope").map((option) => OPTION_WORDS[option](probe));
      return own.length === 0 ? [] : [`${signalName(metric)}: ${own.join(", ")}`];
    }),
  ];
}

const LABELS: Readonly<Record<NonNullable<MeasuredProbe["labels"]>, string>> = {
  sampled: "labels sampled from the model",
  exact: "the exact mean over all labels",
  argmax: "labels argmax, which is not the Fisher trace",
  true: "the data's own labels, which is the empirical Fisher and not the Fisher trace",
};

const SCOPES: Readonly<Record<NonNullable<MeasuredProbe["scope"]>, string>> = {
  trainable: "of the trainable parameters",
  all: "of all parameters",
  blocks: "of the trainable parameters, and of each of their blocks",
};

const OPTION_WORDS: Readonly<Record<ProbeOption, (probe: MeasuredProbe) => string>> = {
  scope: ({ scope }) => SCOPES[scope ?? "trainable"],
  labels: ({ labels }) => (labels === undefined ? "" : LABELS[labels]),
  estimator: ({ estimator }) =>
    estimator === "batch" ? "squared gradients of whole batches, without an error" : "per example",
  rho: ({ rho }) => `rho ${rho ?? ""}`,
  draws: ({ draws }) => `${draws ?? ""} draws a batch`,
  iterations: ({ iterations }) => `${iterations ?? ""} iterations of APGD a batch`,
  worst_value: ({ worst_value: value }) => `the ${value ?? ""} loss of the search`,
};
