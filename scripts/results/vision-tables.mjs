// The tables of the vision runs, from their summaries: `{head, rows}`, rows as texts.
import { SIGNALS } from "../../dist/metrics.js";

/** Table 6 of the paper, ResNet-18 on MNIST. */
const PAPER_K = { sharpness_worst: 270, sharpness_avg: 270, fisher_trace: 210 };
const SHOWN_UPDATES = [1, 20, 40, 80, 120, 200, 400];

const headOnly = (results) => results.filter(({ id }) => id.startsWith("mnist-head-"));
const setting = ({ settings }, key) => settings.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1);
const width = (result) => setting(result, "model.width") ?? "64";
const batchNorm = (result) => setting(result, "intervention.frozen_batch_norm") ?? "track";
const scope = (result) => setting(result, "probe.scope") ?? "trainable";
const number = (value, digits = 3) => (typeof value === "number" ? value.toPrecision(digits) : "-");

/** k of the head alone, by each signal, both rules and both windows. */
function chosenK(results) {
  const rows = headOnly(results).flatMap((result) =>
    SIGNALS.filter((metric) => result.series[metric] !== undefined).map((metric) => {
      const at = (tau) => {
        const answer = result.what_if.find((asked) => asked.metric === metric && asked.tau === tau);
        const offline = `${answer.k_offline ?? "-"}${answer.flat ? ", flat" : ""}`;
        return `${answer.k_online ?? "-"} (${offline})`;
      };
      const points = setting(result, "probe.points") ?? "2048";
      const every = setting(result, "probe.every") ?? "10";
      const measured = `${points} every ${every}`;
      return [width(result), batchNorm(result), scope(result), measured, metric, at(3), at(8), PAPER_K[metric]];
    }),
  );
  const head = ["width", "frozen BatchNorm", "scope", "points", "signal", "tau 3", "tau 8", "paper's k"];
  return { head, rows };
}

/** Values of one series at a few updates, one run a row. */
function seriesOf(name) {
  return (results) => ({
    head: ["width", "frozen BatchNorm", "scope", ...SHOWN_UPDATES.map((update) => `update ${update}`)],
    rows: headOnly(results)
      .filter((result) => result.series[name] !== undefined)
      .map((result) => {
        const { update, value } = result.series[name];
        const shown = SHOWN_UPDATES.map((wanted) => number(value[update.indexOf(wanted)]));
        return [width(result), batchNorm(result), scope(result), ...shown];
      }),
  });
}

/** Accuracy by intervention: mean and standard deviation over seeds. */
function accuracies(prefix) {
  return (results) => {
    const runsOf = results.filter(({ id }) => id.startsWith(prefix));
    const names = [...new Set(runsOf.map(interventionOf))];
    const rows = names
      .map((name) => [name, runsOf.filter((run) => interventionOf(run) === name)])
      .map(([name, runs]) => [
        name,
        runs.length,
        runs.map(({ results }) => (results.k === null ? "-" : `${results.k.value} (${results.k.source})`)).join(", "),
        spread(runs.map(({ results }) => results.in_dist?.accuracy)),
        spread(runs.map(({ results }) => results.ood?.mean)),
        number(mean(runs.map(({ results }) => results.probe_seconds / results.train_seconds)) * 100, 2),
      ]);
    return { head: ["intervention", "n", "k by seed", "in-dist %", "OOD mean %", "probes, % of training"], rows };
  };
}

const interventionOf = ({ id }) => id.replace(/^[a-z0-9]+-width\d+-/, "").replace(/-seed\d+$/, "");
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function spread(shares) {
  const values = shares.filter((share) => typeof share === "number").map((share) => share * 100);
  if (values.length === 0) return "-";
  const centre = mean(values);
  if (values.length === 1) return centre.toFixed(2);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
  return `${centre.toFixed(2)} +- ${deviation.toFixed(2)}`;
}

export const VISION_TABLES = {
  "mnist-head-k": chosenK,
  "mnist-head-fisher-trace": seriesOf("fisher_trace"),
  "mnist-head-feature-norm": seriesOf("feature_norm_squared"),
  "mnist-head-sharpness-avg": seriesOf("sharpness_avg"),
  "mnist-head-sharpness-worst": seriesOf("sharpness_worst"),
  "mnist-narrow": accuracies("mnist-width8-"),
  "mnist-full": accuracies("mnist-width64-"),
  "cifar10-narrow": accuracies("cifar10-width16-"),
};
