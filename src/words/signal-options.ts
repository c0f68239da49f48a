import type { RunConfig } from "../config/attached.js";
import type { MeasuredProbe } from "../config/schema.js";
import { measuredBy } from "../core/measured.js";
import { METRIC_TABLE, type ProbeOption } from "../metrics.js";
import { formatShare } from "./format.js";
import { signalName } from "./names.js";

/**
 * With what options a run's signals were measured, none of which a value should be read without: first what they have
 * in common, then a sentence for each that has some of its own. Empty where the run measures none.
 *
 * @param every what `probe.budget` chose, if it did
 */
export function describeSignals(config: RunConfig, every: number | null = null): string[] {
  const probe = measuredBy(config);
  if (probe === null || probe.metrics.length === 0) return [];
  const points =
    probe.points === undefined
      ? ""
      : `, over ${probe.points} training examples in batches of ${probe.batch_size ?? probe.points}`;
  const scope = probe.scope === undefined ? "" : OPTION_WORDS.scope(probe);
  return [
    [
      `every ${every ?? probe.every} updates${every === null ? untilChosen(probe) : ""}`,
      ...(scope === "" ? [] : [scope]),
    ].join(", ") + points,
    ...probe.metrics.flatMap((metric) => {
      const options: readonly ProbeOption[] = METRIC_TABLE[metric].options;
      const own = options.filter((option) => option !== "scope").map((option) => OPTION_WORDS[option](probe));
      const said = own.filter((words) => words !== "");
      return said.length === 0 ? [] : [`${signalName(metric)}: ${said.join(", ")}`];
    }),
  ];
}

function untilChosen({ budget }: MeasuredProbe): string {
  return budget == null ? "" : ` until a multiple is chosen that takes ${formatShare(budget)} of training at most`;
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
  noise: ({ noise }) => (noise === "antithetic" ? "in antithetic pairs" : "independent of each other"),
  // Runs of before there was a choice searched by APGD.
  search: ({ search, iterations }) =>
    search === "sphere"
      ? `at most ${iterations ?? ""} gradients on the sphere a batch`
      : `${iterations ?? ""} iterations of APGD a batch`,
  // Said with the search.
  iterations: () => "",
  search_tolerance: ({ search_tolerance: tolerance }) =>
    tolerance === undefined ? "" : `fewer once two steps gain less than a share of ${tolerance}`,
  worst_value: ({ worst_value: value }) => (value === undefined ? "" : `the ${value} loss of the search`),
};
