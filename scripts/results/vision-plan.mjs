// The runs behind docs/results.md, vision: what is run, and under which name its result is kept.

const MEASURE_ALL = "probe.metrics=[fisher_trace,sharpness_avg,sharpness_worst]";
const SEEDS = [0, 1, 2];

/** The paper's preset at a given width, 400 updates of the head alone: k lies behind the end. */
const headOnly = (width, batchNorm, ...settings) => ({
  config: "mnist-resnet18",
  settings: [
    `model.width=${width}`,
    "train.updates=400",
    "intervention.k=401",
    `intervention.frozen_batch_norm=${batchNorm}`,
    "intervention.tau=8",
    "probe.until=end",
    "checkpoint.every=50",
    "evaluate.ood=none",
    "device.threads=1",
    ...settings,
  ],
});

const headOnlyRuns = [
  ...["track", "calibrate", "hold"].map((batchNorm) => ({
    id: `mnist-head-width8-${batchNorm}`,
    ...headOnly(8, batchNorm, MEASURE_ALL),
  })),
  { id: "mnist-head-width64-track", ...headOnly(64, "track", MEASURE_ALL) },
  { id: "mnist-head-width64-calibrate", ...headOnly(64, "calibrate", MEASURE_ALL) },
  { id: "mnist-head-width64-hold", ...headOnly(64, "hold", MEASURE_ALL) },
  {
    id: "mnist-head-width64-all-sharpness",
    ...headOnly(
      64,
      "track",
      "probe.metrics=[sharpness_avg,sharpness_worst]",
      "intervention.signal=sharpness_worst",
      "probe.scope=all",
      "probe.points=256",
      "probe.every=40",
    ),
  },
  { id: "mnist-head-width64-all-fisher", ...headOnly(64, "track", "probe.scope=all") },
];

/** Width 8, four epochs, to the end: the same for all but what decides k. */
const narrow = (seed, ...settings) => ({
  config: "mnist-resnet18",
  settings: ["model.width=8", "train.epochs=4", `seed=${seed}`, "device.threads=1", ...settings],
});

const interventions = {
  standard: ["intervention.kind=none"],
  "fixed-210": ["intervention.k=210"],
  "online-fisher-trace": [],
  "online-sharpness-avg": ["intervention.signal=sharpness_avg", "probe.metrics=[sharpness_avg]"],
  "online-sharpness-worst": ["intervention.signal=sharpness_worst", "probe.metrics=[sharpness_worst]"],
};

const narrowRuns = SEEDS.flatMap((seed) =>
  Object.entries(interventions).map(([name, settings]) => ({
    id: `mnist-width8-${name}-seed${seed}`,
    ...narrow(seed, ...settings),
  })),
);

/** The paper's preset as it is, ten epochs at full width: two minutes a run on a GPU, a day on two cores. */
const fullRuns = SEEDS.flatMap((seed) =>
  Object.entries(interventions).map(([name, settings]) => ({
    id: `mnist-width64-${name}-seed${seed}`,
    needsGpu: true,
    config: "mnist-resnet18",
    settings: [`seed=${seed}`, "device.kind=cuda", "device.threads=1", ...settings],
  })),
);

/** CIFAR-10 from a folder of images (named by --images), narrow, cut to what an hour of two cores can do. */
const cifar = (seed, ...settings) => ({
  config: "cifar10-resnet18",
  needsImages: true,
  settings: [
    "data.kind=image_folder",
    "data.augment=standard",
    "model.width=16",
    "train.epochs=8",
    "evaluate.ood=cifar_c",
    "evaluate.images_per_corruption=1000",
    `seed=${seed}`,
    "device.threads=1",
    ...settings,
  ],
});

const cifarRuns = [0].flatMap((seed) =>
  Object.entries(interventions)
    .filter(([name]) => !name.startsWith("fixed"))
    .map(([name, settings]) => ({ id: `cifar10-width16-${name}-seed${seed}`, ...cifar(seed, ...settings) })),
);

export const RUNS = [...headOnlyRuns, ...narrowRuns, ...fullRuns, ...cifarRuns];
