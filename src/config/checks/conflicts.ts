import { metricRow } from "../../metrics.js";
import { DATA_SETS, isImageData } from "../data-sets.js";
import { OF_BUDGET, OF_BUDGET_AND_LENGTH } from "./budget.js";
import type { Check } from "./check.js";
import { OF_IMAGES } from "./images.js";
import { OF_OOD } from "./ood.js";
import type { Problem } from "./problems.js";
import { OF_DEVELOPMENT, OF_RECORDED } from "./recorded.js";
import type { ParsedConfig } from "../schema.js";
import { OF_TEXT } from "./text.js";

/** Those about signals and their use, which a script of the user's own has as well. */
const OF_SIGNALS: readonly Check<SignalConfig>[] = [
  {
    find: signals,
    refuses: [
      "a metric twice in `probe.metrics`",
      "`intervention.k` is `online`, and `probe.metrics` does not measure `intervention.signal`",
    ],
  },
  {
    find: pairsOfNoise,
    refuses: [
      "an odd `probe.draws` with `probe.noise=antithetic`",
      "`probe.draws` below 4 with `probe.noise=antithetic` where what they measure decides k online: one pair has no standard error",
    ],
  },
  {
    find: estimators,
    refuses: [
      "`probe.estimator=batch` with `probe.labels=exact`",
      "`probe.estimator=batch` where `fisher_trace` decides k online: it has no standard error",
    ],
  },
  OF_BUDGET,
  OF_RECORDED,
];

/** Keys that are fine by themselves and wrong together: everything that a schema of single keys cannot say. */
export const CHECKS: readonly Check[] = [
  { find: lengthOfTraining, refuses: ["neither or both of `train.epochs` and `train.updates`"] },
  {
    find: startOfIntervention,
    refuses: ["`intervention.start` beyond the last update", "`probe.until` before `intervention.start`"],
  },
  { find: warmupWithoutRelease, refuses: ["`intervention.release_warmup` where the fixed k releases no block"] },
  { find: lengthOfMeasuring, refuses: ["`probe.until` beyond `train.updates`"] },
  ...OF_SIGNALS,
  OF_BUDGET_AND_LENGTH,
  OF_DEVELOPMENT,
  { find: amounts, refuses: ["`probe.points` or `train.batch_size` above `data.max_train_examples`"] },
  {
    find: dataSets,
    refuses: [
      "no `data.path` for data that do not come with thawline",
      "`model.kind=vgg11` for images of 28 x 28",
      "`data.normalization` of another number of channels than the images have",
    ],
  },
  ...OF_OOD,
  ...OF_IMAGES,
  { find: blockNames, refuses: ["a name twice in `model.blocks`, or the name `head`"] },
  ...OF_TEXT,
];

export function findConflicts(config: ParsedConfig): readonly Problem[] {
  return CHECKS.flatMap(({ find }) => find(config));
}

export function findSignalConflicts(config: SignalConfig): readonly Problem[] {
  return OF_SIGNALS.flatMap(({ find }) => find(config));
}

export type SignalConfig = Pick<ParsedConfig, "intervention" | "probe">;

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

/** Training told in epochs has its length checked by the controller, once the worker knows the data. */
function startOfIntervention({ intervention, probe, train }: ParsedConfig): Problem[] {
  if (intervention.kind === "none") return [];
  const { start } = intervention;
  const conflicts: Problem[] = [];
  const path = ["intervention", "start"];
  if (train.updates !== null && start > train.updates) {
    conflicts.push({
      paths: [path, ["train", "updates"]],
      text: `\`intervention.start\` is ${start}, but training ends after ${train.updates} updates`,
      hint: `set \`intervention.start\` to at most ${train.updates}, or train longer`,
    });
  }
  if ("until" in probe && typeof probe.until === "number" && probe.until < start) {
    conflicts.push({
      paths: [["probe", "until"], path],
      text: `\`probe.until\` is ${probe.until}, but signals are measured from \`intervention.start\` on, which is ${start}`,
      hint: "write `end` to measure to the end",
    });
  }
  return conflicts;
}

/** Of training told in epochs, and of a network's blocks, the controller knows once the worker does. */
function warmupWithoutRelease({ intervention, train }: ParsedConfig): Problem[] {
  if (!("release_warmup" in intervention) || intervention.release_warmup === null) return [];
  if (intervention.k === "online" || train.updates === null) return [];
  const multiple = "first_unfreeze" in intervention && intervention.first_unfreeze === "paper41" ? 2 : 1;
  const release = intervention.start - 1 + multiple * intervention.k;
  if (release <= train.updates) return [];
  const keys = ["intervention.release_warmup", "intervention.k", "train.updates"];
  return [
    {
      paths: keys.map((key) => key.split(".")),
      text: `\`intervention.release_warmup\` has no effect: the first block would be released before update ${release}, and training ends after ${train.updates}`,
      hint: "leave it out, or set a smaller `intervention.k`",
    },
  ];
}

function signals({ intervention, probe }: SignalConfig): Problem[] {
  const conflicts: Problem[] = [];
  const metrics: readonly string[] = "metrics" in probe ? probe.metrics : [];
  const repeated = metrics.find((metric, index) => metrics.indexOf(metric) !== index);
  if (repeated !== undefined) {
    conflicts.push({ paths: [["probe", "metrics"]], text: `\`probe.metrics\` names \`${repeated}\` twice` });
  }
  if ("signal" in intervention && !("mode" in intervention) && !metrics.includes(intervention.signal)) {
    conflicts.push({
      paths: [
        ["intervention", "signal"],
        ["probe", "metrics"],
      ],
      text: `\`intervention.signal\` is \`${intervention.signal}\`, which \`probe.metrics\` does not measure`,
      hint: `add \`${intervention.signal}\` to \`probe.metrics\`, or choose a signal that is in it`,
    });
  }
  return conflicts;
}

function lengthOfMeasuring({ probe, train }: ParsedConfig): Problem[] {
  if (!("until" in probe) || typeof probe.until !== "number" || train.updates === null || probe.until <= train.updates)
    return [];
  const text = `\`probe.until\` is ${probe.until}, but training ends after ${train.updates} updates`;
  return [{ paths: [["probe", "until"]], text, hint: "write `end` to measure to the end" }];
}

function pairsOfNoise({ intervention, probe }: SignalConfig): Problem[] {
  if (!("every" in probe) || probe.noise !== "antithetic" || probe.draws === undefined) return [];
  const { draws } = probe;
  const paths = [
    ["probe", "draws"],
    ["probe", "noise"],
  ];
  if (draws % 2 === 1) {
    const text = `\`probe.draws\` is ${draws}, an odd number, and \`probe.noise\` is \`antithetic\`, which draws pairs`;
    return [{ paths, text, hint: `set \`probe.draws=${draws + 1}\` or \`probe.noise=independent\`` }];
  }
  if (draws >= 4 || !("signal" in intervention)) return [];
  const { signal } = intervention;
  if (!metricRow(signal)?.options.includes("noise")) return [];
  const text = `\`probe.draws\` is 2, one antithetic pair, which has no standard error: \`${signal}\` could never decide \`k\``;
  return [{ paths: [...paths, ["intervention", "signal"]], text, hint: "set `probe.draws=4` or more" }];
}

function estimators({ intervention, probe }: SignalConfig): Problem[] {
  if (!("every" in probe) || probe.estimator !== "batch") return [];
  const conflicts: Problem[] = [];
  if (probe.labels === "exact") {
    conflicts.push({
      paths: [
        ["probe", "estimator"],
        ["probe", "labels"],
      ],
      text: "`probe.estimator` is `batch`, which needs one label per point, but `probe.labels` is `exact`",
      hint: "set `probe.labels=sampled` or `probe.estimator=per_example`",
    });
  }
  if ("signal" in intervention && intervention.signal === "fisher_trace") {
    conflicts.push({
      paths: [
        ["probe", "estimator"],
        ["intervention", "signal"],
      ],
      text: "`probe.estimator` is `batch`, which has no standard error: `fisher_trace` could never decide `k`",
      hint: "set `probe.estimator=per_example`, or fix `intervention.k`",
    });
  }
  return conflicts;
}

function amounts({ data, probe, train }: ParsedConfig): Problem[] {
  const available = data.max_train_examples;
  // One question makes one window or more: how many there are to choose from is known when they are made.
  if (available === null || data.kind === "question_answering" || data.kind === "xquad_articles") return [];
  const wanted = [
    { path: ["probe", "points"], amount: "every" in probe ? (probe.points ?? 0) : 0 },
    { path: ["train", "batch_size"], amount: train.batch_size },
  ];
  return wanted
    .filter(({ amount }) => amount > available)
    .map(({ path, amount }) => ({
      paths: [path, ["data", "max_train_examples"]],
      text: `\`${path.join(".")}\` is ${amount}, more than the ${available} examples of \`data.max_train_examples\``,
    }));
}

function dataSets({ model, data }: ParsedConfig): Problem[] {
  if (!isImageData(data)) return [];
  const { images, wanted } = DATA_SETS[data.kind];
  const conflicts: Problem[] = [];
  const conflict = (paths: string[], text: string, hint: string) =>
    conflicts.push({ paths: paths.map((path) => path.split(".")), text, hint });
  if (data.path === "bundled" && data.kind !== "mnist") {
    conflict(
      ["data.path", "data.kind"],
      `\`data.path\` is missing: \`${data.kind}\` does not come with thawline`,
      `set \`data.path\` to ${wanted}`,
    );
  }
  if (model.kind === "vgg11" && images !== null && images.side < 32) {
    conflict(
      ["model.kind", "data.kind"],
      `\`model.kind\` is \`vgg11\`, whose five poolings leave nothing of the ${images.side} x ${images.side} images of \`${data.kind}\``,
      "use `model.kind=resnet18`, or images of at least 32 x 32",
    );
  }
  if (data.normalization !== null) {
    const { mean, std } = data.normalization;
    const channels = images?.channels ?? mean.length;
    if (mean.length !== channels || std.length !== channels) {
      conflict(
        ["data.normalization"],
        `\`data.normalization\` has ${mean.length} means and ${std.length} deviations, not one of each per channel`,
        images === null ? "give both for 1 channel or for 3" : `\`${data.kind}\` has ${channels} channel(s)`,
      );
    }
  }
  return conflicts;
}

function blockNames({ model }: ParsedConfig): Problem[] {
  if (!("blocks" in model) || model.blocks === null) return [];
  const names = ["head", ...model.blocks.map((block) => block.name)];
  return model.blocks.flatMap(({ name }, index) => {
    if (names.indexOf(name) === index + 1) return [];
    const text =
      name === "head"
        ? "a block of `model.blocks` has the name of the head"
        : `\`model.blocks\` has the name \`${name}\` twice`;
    return [{ paths: [["model", "blocks", index, "name"]], text }];
  });
}
