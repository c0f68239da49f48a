import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { configInputSchema, type Config } from "../../src/config/schema.js";
import { canonical, evaluationIdentity, trainingIdentity } from "../../src/core/training-identity.js";
import { UserError } from "../../src/errors.js";
import { keysOf } from "../config/key-values.js";

const BASES = [
  ["quickstart", "device.threads=2"],
  ["quickstart", "intervention.k=9", "device.threads=1"],
  ["quickstart", "intervention.kind=none", "device.threads=1", "train.optimizer=adamw"],
  ["quickstart", "intervention.kind=learning_rate_switch", "intervention.k=9", "device.threads=1"],
  ["cifar10-vgg11", "data.kind=image_folder", "data.path=/data", "device.threads=2"],
  ["xquad-small", "model.pretrained=/encoder", "data.path=/data", "device.threads=2"],
] as const;

/** What training does not see, by whatever it is made: everything else must be in the identity. */
const UNSEEN = [
  /^name$/,
  /^(probe|supervision|checkpoint)\./,
  /^device\.shared$/,
  /^intervention\.(signal|rule|mode|tau|epsilon|k_max)$/,
  /^evaluate\.(ood|ood_.*|corruptions|frost_textures|images_per_corruption)$/,
  /^data\.(verify_checksums|tests|languages)$/,
];

function isUnseen(key: string, { data }: Config): boolean {
  // Of images nothing but the tests is as long as that; texts have a development set, by which weights are chosen.
  if (key === "data.max_test_examples") return "augment" in data;
  return UNSEEN.some((pattern) => pattern.test(key));
}

const load = ([source, ...overrides]: readonly string[]): Config | null => {
  try {
    return loadConfig({ source: source!, overrides, cwd: "/" });
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
};
const kOf = ({ intervention }: Config): number | null =>
  !("k" in intervention) ? null : intervention.k === "online" ? 43 : intervention.k;
const identityOf = (config: Config): string => trainingIdentity(config, kOf(config));

describe("the identity of a training", () => {
  const bases = BASES.map((base) => ({ base, before: load(base)! }));
  const seen = new Map<string, Set<string>>();

  it.each(keysOf(configInputSchema))(
    "has $key where training sees it, and not where it does not",
    ({ key, values }) => {
      for (const { base, before } of bases) {
        for (const value of values) {
          const after = load([...base, `${key}=${value}`]);
          if (after === null || canonical(before) === canonical(after)) continue;
          const isEqual = identityOf(before) === identityOf(after);
          expect([key, value, base[0], isEqual]).toEqual([key, value, base[0], isUnseen(key, before)]);
          seen.set(key, (seen.get(key) ?? new Set()).add(String(isEqual)));
          // One other value shows it; each costs the reading of a preset.
          break;
        }
      }
    },
  );

  it("was tried on keys of both kinds", () => {
    const tried = (which: string): number => [...seen.values()].filter((found) => found.has(which)).length;
    expect(tried("true")).toBeGreaterThan(20);
    expect(tried("false")).toBeGreaterThan(20);
  });

  it("of a run that decided k is that of the run with that k, and of no other k", () => {
    const online = load(["quickstart", "device.threads=1"])!;
    const fixed = load(["quickstart", "device.threads=1", "intervention.k=120"])!;
    expect(trainingIdentity(online, 120)).toBe(trainingIdentity(fixed, 120));
    expect(trainingIdentity(online, 110)).not.toBe(trainingIdentity(fixed, 120));
    const paper41 = load([
      "quickstart",
      "device.threads=1",
      "intervention.k=120",
      "intervention.first_unfreeze=paper41",
    ])!;
    expect(trainingIdentity(online, 120)).not.toBe(trainingIdentity(paper41, 120));
  });
});

describe("the identity of an evaluation", () => {
  const base = ["quickstart", "device.threads=1"];

  it.each([
    ["evaluate.images_per_corruption=50", false],
    ["evaluate.ood=none", false],
    ["evaluate.batch_size=8", false],
    ["data.max_test_examples=100", false],
    ["probe.points=10", true],
    ["intervention.k=7", true],
    ["name=other", true],
  ])("with %s is the same: %s", (override, same) => {
    const [before, after] = [load(base)!, load([...base, override])!];
    expect(evaluationIdentity(before) === evaluationIdentity(after)).toBe(same);
  });
});
