// The runs behind docs/results.md, signals: the same training, measured by the published estimators of sharpness and by
// the quieter ones. Neither changes the training, so two runs of a seed differ in their signals alone.

const MEASURE_ALL = "probe.metrics=[fisher_trace,sharpness_avg,sharpness_worst]";

const ESTIMATORS = {
  published: ["probe.noise=independent", "probe.draws=15", "probe.search=apgd"],
  quiet: ["probe.noise=antithetic", "probe.draws=16", "probe.search=sphere"],
};

/**
 * The errors of changes are paired over the window of the run's own rule, so each window has runs of its own. Without a
 * rule that is tr(F)'s, of 3 points; one that no signal can meet has any.
 */
const HEAD_ALONE = {
  3: ["intervention.k=401"],
  8: ["intervention.tau=8", "intervention.epsilon=1e-9", "intervention.k_max=400"],
};

/** 400 updates of the head alone: k lies behind the end. */
const mnist = (width, tau) => ({
  config: "mnist-resnet18",
  settings: [
    `model.width=${width}`,
    "train.updates=400",
    ...HEAD_ALONE[tau],
    "evaluate.ood=none",
    "probe.until=end",
    MEASURE_ALL,
  ],
});

/** The whole of the preset's training; its head and top block alone. */
const xquad = {
  config: "xquad-small",
  needsXquad: true,
  settings: ["intervention.k=81", "probe.until=end", MEASURE_ALL],
};

const runsOf = (name, seeds, { settings, ...run }) =>
  seeds.flatMap((seed) =>
    Object.entries(ESTIMATORS).map(([estimators, chosen]) => ({
      id: `signals-${name}-${estimators}-seed${seed}`,
      ...run,
      settings: [...settings, ...chosen, `seed=${seed}`, "device.threads=1"],
    })),
  );

export const RUNS = [
  ...runsOf("mnist-width8-tau3", [0, 1, 2, 3], mnist(8, 3)),
  ...runsOf("mnist-width8-tau8", [0, 1, 2, 3], mnist(8, 8)),
  ...runsOf("xquad-small-tau3", [0, 1], xquad),
  ...runsOf("mnist-width64-tau8", [0], mnist(64, 8)),
];
