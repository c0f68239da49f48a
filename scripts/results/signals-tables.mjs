// The tables of what the estimators of sharpness change for the decision: `{head, rows}`, rows as texts.
import { SIGNALS } from "../../dist/metrics.js";

const ID = /^signals-(.+)-tau(\d)-(published|quiet)-seed(\d+)$/;

/** A result of the plan with what its name says; nothing of another one. */
function identified(result) {
  const [, training, tau, estimators, seed] = ID.exec(result.id) ?? [];
  return training === undefined ? [] : [{ ...result, training, tau: Number(tau), estimators, seed: Number(seed) }];
}

/** Online k by seed, how often no k was found, and how far the k of the seeds lie apart. */
function chosenK(results) {
  const runs = results.flatMap(identified);
  const rows = distinct(runs.map(({ training }) => training)).flatMap((training) =>
    SIGNALS.flatMap((metric) =>
      distinct(runs.map(({ tau }) => tau)).flatMap((tau) =>
        ["published", "quiet"].flatMap((estimators) => {
          const seeds = runs
            .filter((run) => run.training === training && run.tau === tau && run.estimators === estimators)
            .filter((run) => run.series[metric] !== undefined)
            .sort((a, b) => a.seed - b.seed);
          return seeds.length === 0 ? [] : [rowOf({ training, metric, tau, estimators }, seeds)];
        }),
      ),
    ),
  );
  return {
    head: ["training", "signal", "tau", "estimators", "n", "online k by seed", "none", "spread", "offline k by seed"],
    rows,
  };
}

function rowOf({ training, metric, tau, estimators }, runs) {
  const answers = runs.map(({ what_if }) => what_if.find((asked) => asked.metric === metric && asked.tau === tau));
  const online = answers.map((answer) => answer.k_online);
  const offline = answers.map(({ k_offline, flat }) => `${k_offline ?? "-"}${flat ? " (flat)" : ""}`);
  const shown = online.map((k) => k ?? "-").join(", ");
  const none = online.filter((k) => k === null).length;
  return [
    training,
    metric,
    tau,
    estimators,
    runs.length,
    shown,
    `${none} of ${runs.length}`,
    spread(online),
    offline.join(", "),
  ];
}

/** Standard deviation of the k that were found. */
function spread(found) {
  const values = found.filter((k) => k !== null);
  if (values.length < 2) return "-";
  const mean = values.reduce((sum, k) => sum + k, 0) / values.length;
  return Math.sqrt(values.reduce((sum, k) => sum + (k - mean) ** 2, 0) / (values.length - 1)).toFixed(0);
}

/** How much of a signal's range is noise: the median standard error of a point, as a share of the range. */
function noise(results) {
  const runs = results.flatMap(identified);
  const metrics = SIGNALS.filter((metric) => runs.some(({ series }) => series[metric] !== undefined));
  // The window does not change what is measured.
  const firsts = runs.filter(({ training, tau }) => tau === runs.find((run) => run.training === training).tau);
  const rows = firsts.map((run) => [
    run.training,
    run.seed,
    run.estimators,
    ...metrics.map((metric) => shareOfNoise(run.series[metric])),
  ]);
  return { head: ["training", "seed", "estimators", ...metrics], rows };
}

function shareOfNoise(series) {
  if (series?.standard_error === undefined) return "-";
  const finite = series.value.filter((value) => typeof value === "number");
  const range = Math.max(...finite) - Math.min(...finite);
  const errors = series.standard_error.filter((error) => typeof error === "number").sort((a, b) => a - b);
  return errors.length === 0 || range === 0 ? "-" : `${((100 * errors[errors.length >> 1]) / range).toPrecision(2)} %`;
}

const distinct = (values) => [...new Set(values)];

export const SIGNAL_TABLES = { "signals-k": chosenK, "signals-noise": noise };
