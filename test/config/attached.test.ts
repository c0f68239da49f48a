import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { attachedConfigSchema, loadAttachedConfig, type AttachedConfigRequest } from "../../src/config/attached.js";

const folder = mkdtempSync(join(tmpdir(), "thawline-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(request: Partial<AttachedConfigRequest> = {}, ...command: [string, ...string[]] | []) {
  const [program = "python", ...rest] = command;
  const script = { command: [program, ...rest] as [string, ...string[]], folder: "/home/me", restart: false };
  return loadAttachedConfig({ file: null, overrides: [], env: {}, cwd: folder, script, ...request });
}

describe("the configuration of a script's run", () => {
  it("has what concerns it, with its own clocks", () => {
    const config = load();
    expect(Object.keys(config).sort()).toEqual(["intervention", "name", "probe", "script", "seed", "supervision"]);
    expect(config.supervision).toMatchObject({ connect_seconds: 600, progress_seconds: 3600, ready_seconds: 600 });
    expect(config.intervention).toMatchObject({ tau: 3 });
    expect(config.intervention).not.toHaveProperty("frozen_batch_norm");
    expect(config.probe).not.toHaveProperty("points");
  });

  it("comes from file, environment and command line, the stronger ones winning", () => {
    writeFileSync(join(folder, "attach.yaml"), "name: mine\nseed: 1\nprobe:\n  every: 5\n  labels: exact\n");
    const config = load({
      file: "attach.yaml",
      overrides: ["seed=3"],
      env: { THAWLINE_CONFIG__SEED: "2", THAWLINE_CONFIG__PROBE__EVERY: "7" },
    });
    expect(config).toMatchObject({ name: "mine", seed: 3, probe: { every: 7, labels: "exact" } });
  });

  it.each([
    [["python", "-u", "/a/fine_tune.py", "--lr", "0.1"], "fine_tune"],
    [["./train my model.sh"], "train-my-model"],
    [["--"], "script"],
  ] as const)("is named after the script: %j", (command, name) => {
    expect(load({}, ...(command as unknown as [string, ...string[]])).name).toBe(name);
  });

  it("comes back from its file as it was", () => {
    const config = load({ overrides: ["intervention.kind=none"] });
    expect(attachedConfigSchema.parse(parse(stringify(config)))).toEqual(config);
  });
});

describe("what is refused", () => {
  it.each([
    ["model.width=3", "`model` does not apply: an attached script brings its own model"],
    ["data.path=x", "`data` does not apply: an attached script reads its own data"],
    ["evaluate.ood=none", "`evaluate` does not apply: an attached script evaluates by itself"],
    ["device.threads=2", "`device` does not apply: an attached script chooses its own device and threads"],
    ["preset=quickstart", "`preset` does not apply: an attached script brings its own training"],
    ["probe.points=5", "`probe.points` does not apply: the script gives the probe's batches to `thawline.Probe`"],
    [
      "intervention.frozen_batch_norm=hold",
      "`intervention.frozen_batch_norm` does not apply: an attached script sets the mode of its own BatchNorm layers",
    ],
    ["intervention.before=0.5", "`intervention.before` has no effect: `intervention.kind` is `gradual_unfreezing`"],
    ["script.restart=true", "unknown key `script`"],
    ["probe.evry=3", "unknown key `probe.evry`"],
    ["probe.every=0", "`probe.every`: expected a number of at least 1, got `0`"],
    [
      "probe.metrics=[sharpness_avg]",
      "`intervention.signal` is `fisher_trace`, which `probe.metrics` does not measure",
    ],
    [
      "probe.estimator=batch",
      "`probe.estimator` is `batch`, which has no standard error: `fisher_trace` could never decide `k`",
    ],
  ])("%s", (override, sentence) => {
    expect(() => load({ overrides: [override] })).toThrow(`command line: ${sentence}`);
  });

  it("is named with its place in a file", () => {
    writeFileSync(join(folder, "wrong.yaml"), "probe:\n  every: 5\ntrain:\n  updates: 5\n");
    expect(() => load({ file: "wrong.yaml" })).toThrow("wrong.yaml:3:1: `train` does not apply");
  });
});
