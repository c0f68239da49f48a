// The runs behind docs/results.md, text: what is run, and under which name its result is kept.

/** XQuAD's own, in the order of its files; the preset tests five of them. */
const ALL_LANGUAGES = ["en", "ar", "de", "el", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"];
const SEEDS = [0, 1, 2];
/** Testing takes longer than training, so all languages are tested once. */
const SEED_OF_ALL_LANGUAGES = 0;

const online = (signal) => [`intervention.signal=${signal}`, `probe.metrics=[${signal}]`];

const interventions = {
  standard: ["intervention.kind=none"],
  "fixed-40": ["intervention.k=40"],
  "online-fisher-trace": online("fisher_trace"),
  "online-sharpness-avg": online("sharpness_avg"),
  "online-sharpness-worst": online("sharpness_worst"),
};

export const RUNS = SEEDS.flatMap((seed) =>
  Object.entries(interventions).map(([name, settings]) => ({
    id: `xquad-small-${name}-seed${seed}`,
    config: "xquad-small",
    needsXquad: true,
    settings: [
      `seed=${seed}`,
      "device.threads=1",
      ...settings,
      ...(seed === SEED_OF_ALL_LANGUAGES ? [`data.languages=[${ALL_LANGUAGES.join(",")}]`] : []),
    ],
  })),
);
