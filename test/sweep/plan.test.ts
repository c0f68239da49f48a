import { cpSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundledDataFolder } from "../../src/config/checks/paths.js";
import type { UserError } from "../../src/errors.js";
import { Contents } from "../../src/sweep/content.js";
import { readSweep } from "../../src/sweep/file.js";
import { planOf } from "../../src/sweep/plan.js";
import { planned, SWEEP, sweepFile } from "./sweep-file.js";

const idsOf = async (text: string, request = {}): Promise<string[]> =>
  (await planned(text, request)).runs.map(({ id }) => id);

async function refusal(text: string, request = {}): Promise<UserError> {
  try {
    await planned(text, request);
  } catch (error) {
    return error as UserError;
  }
  throw new Error("it was not refused");
}

describe("a plan", () => {
  it("has every condition, axis value and seed once, by seed", async () => {
    const { runs, baseline, conditions } = await planned(SWEEP);
    expect(runs.map(({ condition, seed, axes }) => [condition, seed, axes])).toEqual(
      [0, 1].flatMap((seed) => [
        ["standard", seed, {}],
        ["online", seed, {}],
        ["fixed", seed, { "intervention.k": 4 }],
        ["fixed", seed, { "intervention.k": 10 }],
      ]),
    );
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    for (const { id, condition, seed } of runs)
      expect(id).toMatch(new RegExp(`^${condition}-seed${seed}-[0-9a-f]{10}$`));
    expect([baseline, conditions]).toEqual(["standard", ["standard", "online", "fixed"]]);
  });

  it("gives each run its settings: the sweep's, the condition's, the axes', the seed", async () => {
    const { runs } = await planned(SWEEP);
    const fixed = runs.find(
      ({ condition, seed, axes }) => condition === "fixed" && seed === 1 && axes["intervention.k"] === 10,
    )!;
    expect(fixed.config).toMatchObject({
      seed: 1,
      train: { updates: 60 },
      intervention: { kind: "gradual_unfreezing", k: 10 },
      device: { threads: 1 },
    });
  });

  it("is the same wherever the data lie, and in which folder the file does", async () => {
    const data = (folder: string): string => SWEEP.replace("set: {", `set: { data.path: ${folder},`);
    const elsewhere = join(mkdtempSync(join(tmpdir(), "thawline-data-")), "copied");
    cpSync(bundledDataFolder(), elsewhere, { recursive: true });
    expect(await idsOf(data(elsewhere))).toEqual(await idsOf(SWEEP));
    const moved = `${elsewhere}-moved`;
    renameSync(elsewhere, moved);
    expect(await idsOf(data(moved))).toEqual(await idsOf(SWEEP));
  });

  it("is another one where a file of the data has other bytes", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "thawline-data-")), "changed");
    cpSync(bundledDataFolder(), folder, { recursive: true });
    writeFileSync(join(folder, "t10k-labels-idx1-ubyte"), "other");
    const cwd = sweepFile(SWEEP.replace("set: {", `set: { data.path: ${folder},`));
    const changed = await planOf(readSweep({ path: "sweep.yaml", cwd }), new Contents());
    expect(changed.runs[0]!.id).not.toBe((await planned(SWEEP)).runs[0]!.id);
  });

  it("does not depend on the name of the sweep, on how often runs are saved for, or on this machine's cores", async () => {
    expect(await idsOf(`name: other\n${SWEEP}`)).toEqual(await idsOf(SWEEP));
    expect((await planned(SWEEP)).runs.every(({ config }) => config.device?.threads === 1)).toBe(true);
    expect((await refusal(SWEEP.replace("set: {", "set: { device.threads: auto,"))).message).toMatch(
      /sweep\.yaml:3:\d+: `device\.threads` is `auto`/,
    );
  });

  it("takes settings, axes and seeds from the command line", async () => {
    const plan = await planned(SWEEP, { overrides: ["train.learning_rate=0.1,0.01", "seed=5", "train.batch_size=32"] });
    expect(
      plan.runs.map(({ seed, axes, config }) => [seed, axes["train.learning_rate"], config.train?.batch_size]),
    ).toEqual([0.1, 0.01, 0.1, 0.01, 0.1, 0.1, 0.01, 0.01].map((rate) => [5, rate, 32]));
  });

  it("has a scale's settings, seeds and name, and is marked with it", async () => {
    const plan = await planned(SWEEP, { scale: "small" });
    expect([plan.name, plan.scale, plan.runs.length]).toEqual(["sweep-small", "small", 4]);
    expect(plan.runs.every(({ seed, config }) => seed === 7 && config.train?.updates === 40)).toBe(true);
  });

  it("finds what a preset names from the current folder, as a run of that preset does", async () => {
    const text = "base: xquad-small\nconditions: { standard: { set: { intervention.kind: none } } }\nseeds: 2\n";
    const file = join(sweepFile(text), "sweep.yaml");
    const cwd = mkdtempSync(join(tmpdir(), "thawline-here-"));
    for (const folder of ["models/multilingual-e5-small", "xquad"]) mkdirSync(join(cwd, folder), { recursive: true });
    writeFileSync(join(cwd, "models/multilingual-e5-small/config.json"), "{}");
    writeFileSync(join(cwd, "xquad/xquad.en.json"), "{}");
    const { runs } = await planOf(readSweep({ path: file, cwd }), new Contents());
    expect(runs).toHaveLength(2);
    for (const { config } of runs) expect(config.data).toMatchObject({ path: join(cwd, "xquad") });
  });

  it("is compared by a score that its runs will have", async () => {
    const on = (score: string, more = ""): string => `${SWEEP}evaluate_on: ${score}\n${more}`;
    for (const score of ["ood/mean", "ood/fog", "in_dist/accuracy"]) {
      expect((await planned(on(score))).evaluateOn).toBe(score);
    }
    const unknown = await refusal(on("ood_mean"));
    expect([unknown.code, unknown.message, unknown.hint]).toEqual([
      "invalid_sweep",
      "sweep.yaml:11:1: `evaluate_on` is `ood_mean`, a score that runs of condition `standard` will not have",
      "theirs are `in_dist/accuracy`, `ood/mean`, `ood/*`",
    ]);
    const withoutOod = SWEEP.replace("set: {", "set: { evaluate.ood: none,");
    expect((await refusal(`${withoutOod}evaluate_on: ood/mean\n`)).hint).toBe("theirs are `in_dist/accuracy`");
    expect((await refusal(on("development/accuracy"))).code).toBe("invalid_sweep");
    const validated = SWEEP.replace("set: {", "set: { evaluate: { development: 100, every: 10 },");
    expect((await planned(`${validated}evaluate_on: development/accuracy\n`)).runs).toHaveLength(8);
  });

  it("sweeps a script of the user's own, with its seed and values in the command", async () => {
    const text = `
base: { attach: [python, train.py, "--seed={seed}", "--lr={lr}"] }
conditions:
  standard: { set: { intervention.kind: none } }
  online: { set: { probe.every: 5 }, arguments: [--extra] }
axes: { script.lr: [0.1, 0.01] }
seeds: [3]
`;
    const folder = sweepFile(text, { "train.py": "print()" });
    const { runs } = await planOf(readSweep({ path: "sweep.yaml", cwd: folder }), new Contents());
    expect(runs.map(({ config }) => config.script?.command)).toEqual([
      ["python", "train.py", "--seed=3", "--lr=0.1"],
      ["python", "train.py", "--seed=3", "--lr=0.01"],
      ["python", "train.py", "--seed=3", "--lr=0.1", "--extra"],
      ["python", "train.py", "--seed=3", "--lr=0.01", "--extra"],
    ]);
    const elsewhere = join(mkdtempSync(join(tmpdir(), "thawline-script-")), "copy");
    mkdirSync(elsewhere);
    cpSync(folder, elsewhere, { recursive: true });
    const copied = await planOf(readSweep({ path: "sweep.yaml", cwd: elsewhere }), new Contents());
    expect(copied.runs.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
    writeFileSync(join(elsewhere, "train.py"), "print(1)");
    const edited = await planOf(readSweep({ path: "sweep.yaml", cwd: elsewhere }), new Contents());
    expect(edited.runs.map(({ id }) => id)).not.toEqual(runs.map(({ id }) => id));
  });
});

describe("a plan refuses", () => {
  const head = "base: quickstart\nseeds: 1\nconditions:\n";

  it.each<[string, string, RegExp]>([
    [
      "a condition's setting without effect",
      `${head}  standard: { set: { intervention.kind: none, intervention.k: 5 } }\n`,
      /condition `standard` of `sweep\.yaml`: sweep\.yaml:4:\d+: `intervention\.k` has no effect: `intervention\.kind` is `none`/,
    ],
    [
      "an axis without effect in a condition",
      `${head}  standard: { set: { intervention.kind: none } }\naxes: { intervention.k: [1, 2] }\n`,
      /condition `standard`.*sweep\.yaml:5:\d+: `intervention\.k` has no effect/,
    ],
    [
      "a setting that no condition has a use for",
      `set: { probe.rho: 0.5 }\n${head}  online: {}\n`,
      /sweep\.yaml:1:\d+: `probe\.rho` has no effect in any condition/,
    ],
    [
      "conditions that are the same run",
      `${head}  one: { set: { train.updates: 20 } }\n  two: { set: { train: { updates: 20 } } }\n`,
      /conditions `one` and `two` are the same run/,
    ],
    [
      "an axis that changes nothing",
      `${head}  one: { axes: { name: [a, b] } }\n`,
      /in condition `one`, name=a and name=b are the same run/,
    ],
    [
      "an unknown key of a configuration",
      `${head}  one: { set: { train.epoch: 2 } }\n`,
      /sweep\.yaml:4:\d+: unknown key `train\.epoch`/,
    ],
    [
      "a wrong value",
      `${head}  one: { set: { train.epochs: many } }\n`,
      /sweep\.yaml:4:\d+: `train\.epochs`: expected a number, got `many`/,
    ],
    ["an unknown key of a sweep", `${head}  one: {}\nseed: 3\n`, /sweep\.yaml:5:1: unknown key `seed`/],
    [
      "a baseline that is no condition",
      `${head}  one: {}\nbaseline: onee\n`,
      /sweep\.yaml:5:1: there is no condition `onee`/,
    ],
    ["no condition", "base: quickstart\nseeds: 1\nconditions: {}\n", /expected at least one condition/],
    ["a seed twice", "base: quickstart\nseeds: [1, 1]\nconditions: { a: {} }\n", /seeds/],
    ["a condition whose name is no folder's", `${head}  a/b: {}\n`, /a\/b/],
    [
      "a budget, by which every run would have points of its own",
      `${head}  online: { set: { probe.budget: 0.1 } }\n`,
      /condition `online` has a `probe\.budget`, by which each run would choose its own `probe\.every`/,
    ],
    [
      "a script without its seed",
      "base: { attach: [python, train.py] }\nseeds: 2\nconditions: { a: {} }\n",
      /the command has no `\{seed\}`, so that every seed would train the same/,
    ],
    [
      "a value that the command does not take",
      "base: { attach: [python, train.py] }\nseeds: 1\nset: { script.lr: 1 }\nconditions: { a: {} }\n",
      /`script\.lr` has no effect: the command has no `\{lr\}`/,
    ],
    [
      "a value that nothing gives",
      'base: { attach: [python, train.py, "{lr}"] }\nseeds: 1\nconditions: { a: {} }\n',
      /the command has `\{lr\}`, and nothing says what that is/,
    ],
  ])("%s", async (_, text, message) => {
    const error = await refusal(text);
    expect(error.message).toMatch(message);
    expect(error.constructor.name).toBe("UserError");
  });

  it("an unknown scale, with what was probably meant", async () => {
    expect(await refusal(SWEEP, { scale: "smal" })).toMatchObject({
      code: "unknown_scale",
      hint: "did you mean `--scale small`?",
    });
  });

  it("other values for an axis that there is none of", async () => {
    const text = SWEEP.replace("seeds: [7] }", "seeds: [7], axes: { train.epochs: [1, 2] } }");
    expect(await refusal(text, { scale: "small" })).toMatchObject({ code: "unknown_axis" });
  });

  it("what is no setting on the command line", async () => {
    expect((await refusal(SWEEP, { overrides: ["epochs"] })).message).toBe("`epochs` is not of the form `key=value`");
    expect((await refusal(SWEEP, { overrides: ["train.learning_rate=1,1"] })).code).toBe("invalid_override");
  });
});
