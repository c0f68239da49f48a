import type { Problem } from "./problems.js";
import type { ParsedConfig } from "./schema.js";

/** Keys that are fine by themselves and wrong together: everything that a schema of single keys cannot say. */
export function findConflicts(config: ParsedConfig): readonly Problem[] {
  return [...lengthOfTraining(config), ...signals(config), ...amounts(config)];
}

function lengthOfTraining({ train }: ParsedConfig): Problem[] {
  const paths = [
    ["train", "updates"],
    ["train", "epochs"],
  ];
  if (train.epochs === null && train.updates === null) {
    return [
      {
        paths,
        text: "`train` says neither `epochs` nor `updates`",
        hint: "set one of them, for example `train.epochs=10`",
      },
    ];
  }
  if (train.epochs !== null && train.updates !== null) {
    return [{ paths, text: "`train` says both `epochs` and `updates`", hint: "remove one of them" }];
  }
  return [];
}

function signals({ intervention, probe, train }: ParsedConfig): Problem[] {
  const conflicts: Problem[] = [];
  const repeated = probe.metrics.find((metric, index) => probe.metrics.indexOf(metric) !== index);
  if (repeated !== undefined) {
    conflicts.push({ paths: [["probe", "metrics"]], text: `\`probe.metrics\` names \`${repeated}\` twice` });
  }
  const online = intervention.kind !== "none" && intervention.k === "online";
  if (online && !probe.metrics.includes(intervention.signal)) {
    conflicts.push({
      paths: [
        ["intervention", "signal"],
        ["probe", "metrics"],
      ],
      text: `\`intervention.signal\` is \`${intervention.signal}\`, which \`probe.metrics\` does not measure`,
      hint: `add \`${intervention.signal}\` to \`probe.metrics\`, or choose a signal that is in it`,
    });
  }
  if (typeof probe.until === "number" && train.updates !== null && probe.until > train.updates) {
    conflicts.push({
      paths: [["probe", "until"]],
      text: `\`probe.until\` is ${probe.until}, but training ends after ${train.updates} updates`,
      hint: "write `end` to measure to the end",
    });
  }
  return conflicts;
}

function amounts({ data, probe, train }: ParsedConfig): Problem[] {
  const available = data.max_train_examples;
  if (available === null) return [];
  const wanted = [
    { path: ["probe", "points"], amount: probe.points },
    { path: ["train", "batch_size"], amount: train.batch_size },
  ];
  return wanted
    .filter(({ amount }) => amount > available)
    .map(({ path, amount }) => ({
      paths: [path, ["data", "max_train_examples"]],
      text: `\`${path.join(".")}\` is ${amount}, more than the ${available} examples of \`data.max_train_examples\``,
    }));
}
