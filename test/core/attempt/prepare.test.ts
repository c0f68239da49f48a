import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { TEXT_PACKAGES } from "../../../src/core/attempt/prepare.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";
import { secondAttempt, training } from "./lives.js";

const readyAgain = {
  blocks: ["block3", "block2", "block1"].map((name) => ({ name, num_params: 10 })),
  head: { name: "head", num_params: 5 },
  num_updates: 60,
  updates_per_epoch: 60,
  learning_rates: [0.1],
  device: "cpu",
  threads: 1,
  seed: 0,
  resumed_from: 13,
  can: ["checkpoint" as const],
};

describe("a release warm-up", () => {
  const prepared = (blocks: { name: string; num_params: number; trainable_from_start?: boolean }[], k: string) => {
    // The worker makes fewer updates than were asked for, as where they are told in epochs.
    const overrides = [`intervention.k=${k}`, "intervention.release_warmup=5", "train.updates=100"];
    const run = new SimulatedRun(simulatedConfig(...overrides));
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here", versions: { torch: "2" }, attempt: 1 };
    run.say("worker/connected", hello);
    run.say("worker/prepared", { ...readyAgain, blocks, resumed_from: 0 });
    return run.state.end;
  };

  it.each([
    ["no block", "20", [], "the model has no block that is frozen first"],
    [
      "blocks that train from the start",
      "online",
      [{ name: "top", num_params: 10, trainable_from_start: true }],
      "the model has no block that is frozen first",
    ],
    ["a release beyond the end", "61", readyAgain.blocks, "k = 61 releases no block within 60 updates"],
  ])("is refused for %s", (_, k, blocks, why) => {
    const message = `\`intervention.release_warmup\` has no effect: ${why}`;
    expect(prepared(blocks, k)).toMatchObject({ exitCode: 2, code: "invalid_config", message });
  });

  it("goes on where one block is released, or may be", () => {
    expect(prepared(readyAgain.blocks, "60")).toBeNull();
    expect(prepared(readyAgain.blocks, "online")).toBeNull();
  });
});

describe("a later attempt", () => {
  it.each([
    ["another step", { resumed_from: 0 }, "it resumed from step 0 instead of 13"],
    ["another length", { num_updates: 61 }, "its blocks or its number of updates are not those of the attempt before"],
    ["other blocks", { blocks: [] }, "its blocks or its number of updates are not those of the attempt before"],
  ])("is ended when it comes up with %s", (_, difference, why) => {
    const run = secondAttempt();
    run.say("worker/prepared", { ...readyAgain, ...difference });
    expect(run.decided("attempt/ended").at(-1)).toMatchObject({ attempt: 2, why });
  });

  it("goes on with other hardware or software, without the promise of the same bits", () => {
    const run = training();
    run.act({ do: "die", lost: 0 });
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here", attempt: 2 };
    run.say("worker/connected", { ...hello, versions: { torch: "3.0.0", numpy: "2.4" } });
    run.say("worker/prepared", { ...readyAgain, device: "cuda", threads: 2 });
    expect([...run.state.identityDropped]).toEqual([
      "torch was 2.13.0 and is now 3.0.0",
      "the device was cpu and is now cuda",
      "the number of threads was 1 and is now 2",
    ]);
    expect(run.state.attempt!.stage).toBe("training");
  });

  it("goes on with another micro-batch of the probes, without the promise of the same bits", () => {
    const run = new SimulatedRun(simulatedConfig());
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here", versions: { torch: "2" } };
    const ready = { ...readyAgain, resumed_from: 0 };
    run.say("worker/connected", { ...hello, attempt: 1 });
    run.say("worker/prepared", { ...ready, micro_batch: 128 });
    run.act({ do: "die", lost: 0 });
    run.say("worker/connected", { ...hello, attempt: 2 });
    run.say("worker/prepared", { ...ready, micro_batch: 64 });
    expect([...run.state.identityDropped]).toEqual(["probes had micro-batches of 128 and now have 64"]);
  });

  it.each([
    ["images", simulatedConfig().model, [], ["torch"]],
    ["text", loadConfig({ source: "xquad-small", cwd: "/" }).model, ["peft was 1 and is now 2"], ["torch", "peft"]],
  ])("of a run on %s asks for the packages that it uses", (_, model, dropped, packages) => {
    const run = new SimulatedRun({ ...simulatedConfig(), model });
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here" };
    run.say("worker/connected", { ...hello, attempt: 1, versions: { torch: "2", peft: "1" } });
    expect(Object.keys(run.state.software!)).toEqual(packages);
    run.act({ do: "die", lost: 0 });
    run.say("worker/connected", { ...hello, attempt: 2, versions: { torch: "2", peft: "2" } });
    expect([...run.state.identityDropped]).toEqual(dropped);
  });

  it("measures again where it starts, in the state that held there", () => {
    const run = secondAttempt().until(({ attempt }) => attempt?.stage === "training");
    expect(run.ordered("worker/grant").at(-1)!.body).toEqual({
      until: 14,
      trainable: ["head"],
      learning_rate_factor: 1,
      orders: [],
      probe: ["fisher_trace"],
    });
  });
});

describe("a start behind the end", () => {
  it("is refused once the worker knows how long training is, and no restart is tried", () => {
    const config = simulatedConfig("intervention.start=60");
    expect(new SimulatedRun(config).finish().state.end).toMatchObject({ outcome: "finished" });
    const training = { ...config, intervention: { ...config.intervention, start: 61 } };
    const run = new SimulatedRun(training).until(({ end }) => end !== null);
    expect(run.state.end).toEqual({
      outcome: "failed",
      exitCode: 2,
      code: "invalid_config",
      message: "`intervention.start` is 61, but training ends after 60 updates",
      hint: "set `intervention.start` to at most 60, or train longer",
    });
    expect(run.state.attempts.launched).toBe(1);
  });
});

it("passes over all packages of the text side, and no others", () => {
  const file = new URL("../../../python/modules.json", import.meta.url);
  const { text } = JSON.parse(readFileSync(file, "utf8")) as { readonly text: Record<string, string> };
  expect(TEXT_PACKAGES).toEqual(Object.values(text));
});
