/**
 * The paper's Tables 1, 2, 3, 4, 6 and 7, copied digit by digit; scores in per cent. Null is a dash of the paper's.
 * Whoever shows one says that it is the paper's.
 */

/** Titles of the paper's experiments, as Table 5 has them. */
export type Experiment =
  "MNIST RN18" | "CIFAR10 RN18" | "CIFAR100 RN18" | "CIFAR10 VGG11" | "SQuAD XLM-R" | "MNLI XLM-R";

export type PaperSignal = "sharpness_worst" | "sharpness_avg" | "fisher_trace";

/** What a row of the paper's was trained with. `rate`: the share of Table 5's learning rate. */
export interface PaperMethod {
  readonly label: string;
  readonly rate: 1 | 0.1;
  readonly intervention: "none" | "gradual_unfreezing" | "low_to_high" | "high_to_low";
  /** What decided k; `any`: the paper's table does not say, or another search. */
  readonly decidedBy: PaperSignal | "any";
}

export interface PaperColumn {
  readonly heading: string;
  /** Null for the winning rate, which is of several. */
  readonly experiment: Experiment | null;
  /** A score by the names of results, k, or the winning rate over these experiments. */
  readonly shows: { readonly score: string } | { readonly k: true } | { readonly winningRateOf: readonly Experiment[] };
}

export interface PaperTable {
  readonly number: 1 | 2 | 3 | 4 | 6 | 7;
  readonly caption: string;
  readonly columns: readonly PaperColumn[];
  readonly rows: readonly { readonly method: PaperMethod; readonly values: readonly (number | null)[] }[];
}

const STANDARD: PaperMethod = { label: "standard", rate: 1, intervention: "none", decidedBy: "any" };
const unfreezing = (label: string, decidedBy: PaperMethod["decidedBy"], rate: 1 | 0.1 = 1): PaperMethod => ({
  label,
  rate,
  intervention: "gradual_unfreezing",
  decidedBy,
});
const BY_WORST = unfreezing("GU, worst-case sharpness", "sharpness_worst");
const BY_AVERAGE = unfreezing("GU, average sharpness", "sharpness_avg");
const BY_FISHER = unfreezing("GU, tr(F)", "fisher_trace");

const idAndOod = (experiment: Experiment): PaperColumn[] => [
  { heading: `${experiment} ID`, experiment, shows: { score: "in_dist/accuracy" } },
  { heading: `${experiment} OOD`, experiment, shows: { score: "ood/mean" } },
];
const winningRate = (heading: string, ...experiments: Experiment[]): PaperColumn => ({
  heading,
  experiment: null,
  shows: { winningRateOf: experiments },
});
const ofText = (heading: string, experiment: Experiment, score: string): PaperColumn => ({
  heading,
  experiment,
  shows: { score },
});

const CROSS_LINGUAL: readonly PaperColumn[] = [
  ofText("XQuAD F1 en", "SQuAD XLM-R", "xquad/en/f1"),
  ofText("XQuAD F1 X-ling", "SQuAD XLM-R", "xquad/x-ling/f1"),
  ofText("XQuAD EM en", "SQuAD XLM-R", "xquad/en/exact_match"),
  ofText("XQuAD EM X-ling", "SQuAD XLM-R", "xquad/x-ling/exact_match"),
  ofText("MLQA F1 X-ling", "SQuAD XLM-R", "mlqa/x-ling/f1"),
  ofText("MLQA EM X-ling", "SQuAD XLM-R", "mlqa/x-ling/exact_match"),
  ofText("XNLI en", "MNLI XLM-R", "xnli/en/accuracy"),
  ofText("XNLI X-ling", "MNLI XLM-R", "xnli/x-ling/accuracy"),
  winningRate("WR", "SQuAD XLM-R", "MNLI XLM-R"),
];
const TEXT_STANDARD = { method: STANDARD, values: [82.96, 68.72, 71.39, 52.64, 56.27, 40.93, 83.17, 71.84, null] };
const TEXT_FISHER = { method: BY_FISHER, values: [83.77, 70.7, 72.33, 54.4, 58.47, 42.31, 83.36, 72.49, 80] };

export const PAPER_TABLES: readonly PaperTable[] = [
  {
    number: 1,
    caption: "Gradual unfreezing (GU) beside standard training, at two learning rates",
    columns: [
      ...idAndOod("MNIST RN18"),
      ...idAndOod("CIFAR10 RN18"),
      ...idAndOod("CIFAR100 RN18"),
      ...idAndOod("CIFAR10 VGG11"),
    ],
    rows: [
      {
        method: { ...STANDARD, label: "lr_d" },
        values: [99.06, 33.36, 93.32, 72.36, 71.07, 45.1, 88.62, 71.63],
      },
      { method: unfreezing("lr_d + GU", "any"), values: [98.98, 63.99, 93.26, 72.95, 71.03, 46.34, 88.53, 72.16] },
      {
        method: { ...STANDARD, label: "0.1 lr_d", rate: 0.1 },
        values: [99.26, 58.46, 91.66, 71.14, 69.95, 44.59, 86.93, 68.41],
      },
      {
        method: unfreezing("0.1 lr_d + GU", "any", 0.1),
        values: [99.18, 62.51, 91.51, 71.26, 70.67, 46.03, 87.01, 69.45],
      },
    ],
  },
  {
    number: 2,
    caption: "k of gradual unfreezing (GU) found by each signal, with winning rates (WR)",
    columns: [
      ...idAndOod("MNIST RN18"),
      ...idAndOod("CIFAR10 RN18"),
      ...idAndOod("CIFAR100 RN18"),
      winningRate("WR RN18", "MNIST RN18", "CIFAR10 RN18", "CIFAR100 RN18"),
      ...idAndOod("CIFAR10 VGG11"),
      winningRate("WR VGG11", "CIFAR10 VGG11"),
    ],
    rows: [
      { method: STANDARD, values: [99.06, 33.36, 93.32, 72.36, 71.07, 45.1, null, 88.62, 71.63, null] },
      { method: BY_WORST, values: [98.78, 52.48, 93.06, 72.75, 70.68, 45.19, 60, 87.69, 71.47, 40] },
      { method: BY_AVERAGE, values: [98.78, 52.48, 93.02, 72.58, 70.67, 45.35, 60, 87.71, 72.37, 100] },
      { method: BY_FISHER, values: [98.91, 54.12, 93.02, 73.56, 70.78, 45.82, 83, 88.4, 71.86, 60] },
    ],
  },
  {
    number: 3,
    caption: "A learning rate that changes early, from low to high and the reverse",
    columns: idAndOod("CIFAR10 RN18"),
    rows: [
      { method: { ...STANDARD, label: "lr_d" }, values: [93.32, 72.36] },
      {
        method: { label: "low to high", rate: 1, intervention: "low_to_high", decidedBy: "any" },
        values: [93.35, 72.89],
      },
      { method: { ...STANDARD, label: "0.1 lr_d", rate: 0.1 }, values: [91.66, 71.14] },
      {
        method: { label: "high to low", rate: 1, intervention: "high_to_low", decidedBy: "any" },
        values: [91.58, 71.18],
      },
      // The text after the table; of the sharpness signals it says that both found the same k.
      {
        method: { label: "low to high, tr(F)", rate: 1, intervention: "low_to_high", decidedBy: "fisher_trace" },
        values: [null, 72.57],
      },
      {
        method: {
          label: "low to high, average sharpness",
          rate: 1,
          intervention: "low_to_high",
          decidedBy: "sharpness_avg",
        },
        values: [null, 72.94],
      },
      {
        method: {
          label: "low to high, worst-case sharpness",
          rate: 1,
          intervention: "low_to_high",
          decidedBy: "sharpness_worst",
        },
        values: [null, 72.94],
      },
    ],
  },
  {
    number: 4,
    caption: "Cross-lingual transfer, k found by tr(F)",
    columns: CROSS_LINGUAL,
    rows: [TEXT_STANDARD, TEXT_FISHER],
  },
  {
    number: 6,
    caption: "k that Algorithm 2 finds",
    columns: (
      ["MNIST RN18", "CIFAR10 RN18", "CIFAR100 RN18", "CIFAR10 VGG11", "SQuAD XLM-R", "MNLI XLM-R"] as const
    ).map((experiment) => ({ heading: experiment, experiment, shows: { k: true as const } })),
    rows: [
      { method: { ...BY_WORST, label: "worst-case sharpness" }, values: [270, 230, 260, 960, 810, 780] },
      { method: { ...BY_AVERAGE, label: "average sharpness" }, values: [270, 270, 250, 1010, 1090, 720] },
      { method: { ...BY_FISHER, label: "tr(F)" }, values: [210, 260, 230, 250, 1310, 790] },
    ],
  },
  {
    number: 7,
    caption: "Cross-lingual transfer, k found by each signal",
    columns: CROSS_LINGUAL,
    rows: [
      TEXT_STANDARD,
      { method: BY_WORST, values: [83.78, 70.09, 72.1, 54.17, 57.86, 42.02, 82.83, 72.13, 45] },
      { method: BY_AVERAGE, values: [83.84, 70, 72.12, 53.69, 58.1, 42.03, 83.03, 72.27, 40] },
      TEXT_FISHER,
    ],
  },
];
