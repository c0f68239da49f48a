import type { RunConfig } from "../config/attached.js";
import { onlineRule } from "../core/intervention/online-rule.js";
import { fixedInterval } from "../core/intervention/online-interval.js";
import type { TrialFacts } from "../reading/trial.js";
import { describeChoice } from "./budget.js";
import { formatCount, formatNumber, formatShare } from "./format.js";
import { singleLine } from "../printable.js";
import { describeConfig, signalName } from "./names.js";
import { describeSignals } from "./signal-options.js";

const LABEL_COLUMNS = 14;

/** What a run would be, and what its signals would cost; `facts` null: it measures nothing. No trailing newline. */
export function describeDryRun(config: RunConfig, facts: TrialFacts | null): string {
  const lines: [string, string[]][] = [
    ["made by", [describeConfig(config)]],
    ["intervention", [describeIntervention(config, facts)]],
    ["signals", facts === null ? ["none are measured, so nothing was tried"] : describeSignals(config)],
    ...(facts === null ? [] : describeTrial(config, facts)),
  ];
  return [
    `${singleLine(config.name)}: dry run, nothing was started that lasts`,
    ...lines.flatMap(([label, texts]) =>
      texts.map((text, index) => `  ${(index === 0 ? label : "").padEnd(LABEL_COLUMNS)}${singleLine(text)}`),
    ),
  ].join("\n");
}

function describeIntervention({ intervention }: RunConfig, facts: TrialFacts | null): string {
  if (intervention.kind === "none") return "none";
  const rule = onlineRule(intervention);
  const start = intervention.start === 1 ? "" : `, from update ${intervention.start} on`;
  if (rule === null) return `${intervention.kind}, k = ${fixedInterval(intervention)?.k ?? "?"}${start}`;
  const latest = facts?.latest ?? rule.k_max;
  const cap = latest === null ? "no k_max" : `k_max ${latest}`;
  return `${intervention.kind}, k online by ${signalName(rule.signal)} (tau ${rule.tau}, epsilon ${rule.epsilon}, ${cap})${start}`;
}

function describeTrial(config: RunConfig, facts: TrialFacts): [string, string[]][] {
  const { model, cost, updates, measurements, every, share, choice } = facts;
  const length = model.numUpdates === null ? "no known end" : formatCount(model.numUpdates, "update");
  const place = `on ${model.device} with ${formatCount(model.threads, "thread")}`;
  const files = config.script === undefined ? "" : "; files of its own, if the script wrote any, are still there";
  const n = `n = ${formatCount(cost.points, "measurement")}, ${formatCount(cost.updates, "update")}; the first of both are left out`;
  return [
    ["training", [`${length}, ${formatCount(model.blocks.length, "block")} and a head, ${place}`]],
    [
      "trial",
      [
        `${formatCount(updates, "update")} and ${formatCount(measurements, "measurement")} in a temporary folder, removed again${files}`,
      ],
    ],
    ["cost", [`a measurement ${seconds(cost.secondsPerPoint)}, an update ${seconds(cost.secondsPerUpdate)} (${n})`]],
    ["share", [`measuring takes ${formatShare(share)} of training time at every = ${every}, by what trains at first`]],
    ...(choice === null ? [] : [["budget", [describeChoice(choice)]] as [string, string[]]]),
  ];
}

function seconds(value: number): string {
  return `${formatNumber(value)} s`;
}
