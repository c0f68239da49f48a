import type { ParsedConfig } from "../schema.js";
import type { Check } from "./check.js";
import type { Problem } from "./problems.js";

/** What only runs on images can be told, where it goes wrong together. */
export const OF_IMAGES: readonly Check[] = [
  { find: nothingOfWeights, refuses: ["`model.weights_sha256` or `model.weights_head=new` without `model.weights`"] },
  {
    find: unscoredDevelopment,
    refuses: ["`evaluate.development` without `evaluate.every`: images are taken from training and never looked at"],
  },
  { find: nothingLeft, refuses: ["`evaluate.development` that leaves too few of `data.max_train_examples`"] },
  {
    find: fewerEpochs,
    refuses: [
      "`evaluate.ood_last_epochs` above `train.epochs`",
      "`evaluate.ood_last_epochs` with `evaluate.keep=best`, which tests weights of any epoch at the end",
    ],
  },
];

function nothingOfWeights({ model }: ParsedConfig): Problem[] {
  if (!("weights" in model) || model.weights !== null) return [];
  const given = [
    ...(model.weights_sha256 === null ? [] : ["weights_sha256"]),
    ...(model.weights_head === "fitting" ? [] : ["weights_head"]),
  ];
  return given.map((key) => ({
    paths: [
      ["model", key],
      ["model", "weights"],
    ],
    text: `\`model.${key}\` has no effect: without \`model.weights\` the seed draws all weights`,
    hint: "set `model.weights` as well, or leave it out",
  }));
}

function unscoredDevelopment({ evaluate }: ParsedConfig): Problem[] {
  if (evaluate.development == null || evaluate.every != null) return [];
  return [
    {
      paths: [
        ["evaluate", "development"],
        ["evaluate", "every"],
      ],
      text: "`evaluate.development` keeps images apart, but without `evaluate.every` they are never scored",
      hint: "set `evaluate.every`, for example to 100, or leave `evaluate.development` out",
    },
  ];
}

/** How many images there are, only the worker knows; where they are limited, the configuration says enough. */
function nothingLeft({ data, evaluate, probe, train }: ParsedConfig): Problem[] {
  const available = data.max_train_examples;
  const { development } = evaluate;
  if (!("augment" in data) || available === null || development == null) return [];
  const left = available - development;
  const wanted = [
    { path: ["probe", "points"], amount: "every" in probe ? (probe.points ?? 0) : 0 },
    { path: ["train", "batch_size"], amount: train.batch_size },
  ];
  return wanted
    .filter(({ amount }) => amount > left && amount <= available)
    .map(({ path, amount }) => ({
      paths: [["evaluate", "development"], ["data", "max_train_examples"], path],
      text: `\`evaluate.development\` leaves ${Math.max(0, left)} of the ${available} examples of \`data.max_train_examples\`, but \`${path.join(".")}\` is ${amount}`,
      hint: `set \`evaluate.development\` to at most ${Math.max(0, available - amount)}`,
    }));
}

/** Of training told in updates, the worker knows how many epochs they are; what there is of them is evaluated. */
function fewerEpochs({ evaluate, train }: ParsedConfig): Problem[] {
  const { ood_last_epochs: epochs, keep } = evaluate;
  if (epochs == null) return [];
  const path = ["evaluate", "ood_last_epochs"];
  const problems: Problem[] = [];
  if (train.epochs !== null && epochs > train.epochs) {
    const text = `\`evaluate.ood_last_epochs\` is ${epochs}, but training has ${train.epochs} epochs`;
    problems.push({ paths: [path, ["train", "epochs"]], text, hint: "set it to at most that, or train longer" });
  }
  if (keep === "best") {
    const text =
      "`evaluate.ood_last_epochs` is about the last weights, but `evaluate.keep` is `best`: at the end others are tested";
    problems.push({ paths: [path, ["evaluate", "keep"]], text, hint: "set `evaluate.keep=last`, or leave it out" });
  }
  return problems;
}
