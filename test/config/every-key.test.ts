import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachedInputSchema, loadAttachedConfig, type RunConfig } from "../../src/config/attached.js";
import { loadConfig } from "../../src/config/layers/load.js";
import { configInputSchema } from "../../src/config/schema.js";
import { workerConfig } from "../../src/controller/worker-config.js";
import { UserError } from "../../src/errors.js";
import { SimulatedRun, trainingOf } from "../support/simulated-run.js";
import { asEnvironment } from "../support/as-environment.js";
import { keysOf, type KeyWithValues } from "./key-values.js";

/**
 * A setting without effect is the expensive kind of mistake: a sweep over it runs happily. So one key of a valid
 * configuration is changed to another valid value, and either that is refused, or something becomes different: what
 * the worker is sent, a command of the core on the same history, or an option of the controller that is named here.
 */
const OPTIONS_OF_THE_CONTROLLER = ["name", "device.shared", /^supervision\./];

interface Base {
  readonly source: string;
  readonly settings: readonly string[];
}

/**
 * A seed whose random order of three blocks is neither of the other two, more than one checkpoint, and as many updates
 * as give no k_max that is among the values tried.
 */
const COMMON = ["seed=1", "data.path=/data", "train.updates=130", "checkpoint.every=7"];
const IMAGES = [...COMMON, "device.threads=2"];
const OFTEN = "probe.every=2";
const TEXT = [...COMMON, "model.pretrained=/encoder", "device.threads=2"];

const BASES: Readonly<Record<string, Base>> = {
  online: { source: "quickstart", settings: [...IMAGES, OFTEN] },
  "fixed k": { source: "quickstart", settings: [...IMAGES, "intervention.k=9"] },
  "fixed k, measured": {
    source: "quickstart",
    settings: [...IMAGES, OFTEN, "intervention.k=9", "probe.until=end", "probe.metrics=[sharpness_avg, feature_rank]"],
  },
  "no intervention": { source: "quickstart", settings: [...IMAGES, "intervention.kind=none"] },
  "head, then full": { source: "quickstart", settings: [...IMAGES, OFTEN, "intervention.kind=head_then_full"] },
  "switch at a fixed k": {
    source: "quickstart",
    settings: [...IMAGES, "intervention.kind=learning_rate_switch", "intervention.k=9"],
  },
  "worst case decides, one thread": {
    source: "quickstart",
    settings: [
      ...COMMON,
      OFTEN,
      "probe.metrics=[sharpness_worst]",
      "intervention.signal=sharpness_worst",
      "device.threads=1",
    ],
  },
  "AdamW, no restarts": {
    source: "quickstart",
    settings: [...IMAGES, OFTEN, "train.optimizer=adamw", "supervision.max_restarts=0"],
  },
  "development set": {
    source: "quickstart",
    settings: [...IMAGES, OFTEN, "evaluate.development=100", "evaluate.every=9", "evaluate.keep=best"],
  },
  "loss of a development set decides": {
    source: "quickstart",
    settings: [
      ...IMAGES,
      "evaluate.development=100",
      "evaluate.every=4",
      "intervention.signal=recorded:validation_loss",
      "intervention.mode=min",
    ],
  },
  "given weights": { source: "quickstart", settings: [...IMAGES, OFTEN, "model.weights=/weights"] },
  "VGG on a folder of images": {
    source: "cifar10-vgg11",
    settings: [...IMAGES, OFTEN, "data.kind=image_folder", "evaluate.ood=none"],
  },
  "published corruptions": { source: "cifar10-resnet18", settings: [...IMAGES, OFTEN, "evaluate.ood_path=/published"] },
  text: { source: "xquad-small", settings: [...TEXT, OFTEN, "intervention.k_max=null"] },
  "text without scores": { source: "xquad-small", settings: [...TEXT, "evaluate.every=null", "intervention.k=9"] },
};

/** Without a change the same object: what is compared must not be made of the moment. */
function observed(config: RunConfig): { readonly worker: string; readonly commands: () => string } {
  return {
    worker: JSON.stringify(workerConfig(config)),
    commands: () => JSON.stringify(HISTORIES.map((of) => of(config))),
  };
}

/**
 * Histories of a run: its signal settles quickly, or slowly, or wavers, or grows for ever; or its worker dies. What its
 * loss loses with every update is smaller the nearer its factor is to 1.
 */
const HISTORIES: readonly ((config: RunConfig) => unknown)[] = [
  (config) => commandsOf(config, (update) => 1 - 0.3 ** (update / 2), 0.6),
  (config) => commandsOf(config, (update) => 1 - 0.8 ** (update / 2), 0.97),
  (config) => commandsOf(config, (update) => 1 - 0.3 ** (update / 2) + 0.04 * ((update / 2) % 2), 0.85),
  (config) => commandsOf(config, (update) => 1.1 ** update, 0.93),
  (config) => commandsOf(config, (update) => 1 - 0.3 ** (update / 2), 0.9, 30),
];

/** All commands of a run and what its budget chose, whose worker dies after `lifetime` units of work. */
function commandsOf(
  config: RunConfig,
  signal: (update: number) => number,
  factor: number,
  lifetime = Infinity,
): unknown {
  const loss = (step: number): number => 0.3 + 0.7 * factor ** step;
  const run = new SimulatedRun(config, trainingOf(config, { signal, loss, updatesPerEpoch: 30 }));
  for (let unit = 0; unit < 3000 && run.state.end === null; unit += 1) {
    if (unit === lifetime) run.act({ do: "die", lost: 0 });
    run.act({ do: "work", times: 1 });
  }
  return [...run.records.flatMap(({ commands = [] }) => commands), ...run.decided("every/chosen")];
}

function loaded(load: () => RunConfig): RunConfig | UserError {
  try {
    return load();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Whether the change made no difference that anybody could see. */
function isWithoutEffect(key: string, base: RunConfig, changed: RunConfig): boolean {
  if (JSON.stringify(base) === JSON.stringify(changed)) return false;
  const isOption = OPTIONS_OF_THE_CONTROLLER.some((name) => (typeof name === "string" ? name === key : name.test(key)));
  if (isOption) return false;
  const [before, after] = [observed(base), observed(changed)];
  return before.worker === after.worker && before.commands() === after.commands();
}

describe("each key of a training", () => {
  const load = (base: Base, ...overrides: string[]): RunConfig =>
    loadConfig({ source: base.source, overrides, env: asEnvironment(base.settings), cwd: "/" });
  const bases = Object.entries(BASES).map(([name, base]) => ({ name, base, config: load(base) }));

  it.each(keysOf(configInputSchema))("has an effect or is refused: $key", ({ key, values }: KeyWithValues) => {
    fc.assert(
      fc.property(fc.constantFrom(...bases), fc.constantFrom(...values), ({ name, base, config }, value) => {
        const changed = loaded(() => load(base, `${key}=${value}`));
        if (changed instanceof UserError) expect(changed.code).toBe("invalid_config");
        else expect(isWithoutEffect(key, config, changed), `${name}: ${key}=${value} is accepted`).toBe(false);
      }),
      { numRuns: Number(process.env["THAWLINE_TEST_RUNS"] ?? 4) },
    );
  });
});

describe("each key of a script's run", () => {
  const scripts = [true, false].map((restart) => ({
    command: ["python", "x.py"] as [string, string],
    folder: "/",
    restart,
  }));
  const settings = [
    [OFTEN, "seed=1"],
    ["intervention.k=9", "seed=1"],
    ["intervention.kind=none"],
    [OFTEN, "intervention.kind=learning_rate_switch", "intervention.k_max=40"],
  ];

  it.each(keysOf(attachedInputSchema))("has an effect or is refused: $key", ({ key, values }: KeyWithValues) => {
    const shapes = [fc.constantFrom(...scripts), fc.constantFrom(...settings), fc.constantFrom(...values)] as const;
    fc.assert(
      fc.property(...shapes, (script, set, value) => {
        const load = (...overrides: string[]): RunConfig =>
          loadAttachedConfig({
            file: null,
            overrides,
            env: asEnvironment(set),
            cwd: "/",
            script,
          });
        const changed = loaded(() => load(`${key}=${value}`));
        if (changed instanceof UserError) expect(changed.code).toBe("invalid_config");
        else expect(isWithoutEffect(key, load(), changed), `${set.join()}: ${key}=${value} is accepted`).toBe(false);
      }),
      { numRuns: Number(process.env["THAWLINE_TEST_RUNS"] ?? 4) },
    );
  });
});
