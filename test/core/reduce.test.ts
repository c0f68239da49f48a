import { describe, expect, it } from "vitest";
import { reduce } from "../../src/core/reduce.js";
import type { State } from "../../src/core/state.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

function fresh(...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig(...overrides));
}

function training(): SimulatedRun {
  return fresh().until(({ progress }) => progress.frontier >= 8);
}

describe("a new run", () => {
  it("begins with its creation, once", () => {
    const { state, records } = fresh();
    const created = records[0]!.event;
    expect(reduce(null, created).state).toMatchObject({ run: "r", term: 0, attempt: null, end: null });
    expect(reduce(state, created)).toEqual({ state, decisions: [], commands: [] });
    expect(() => reduce(null, records[1]!.event)).toThrow("`controller/started` came before the run was created");
  });

  it("launches its first attempt when its controller starts", () => {
    const run = fresh();
    expect(run.records.map(({ event }) => event.type)).toEqual([
      "run/created",
      "controller/started",
      "attempt/launched",
    ]);
    expect(run.ordered("worker/launch")).toEqual([
      { type: "worker/launch", attempt: 1, resumeFrom: null, delaySeconds: 0 },
    ]);
    expect(run.state.attempt).toMatchObject({ number: 1, stage: "connecting", process: { pid: 4001 } });
  });

  it("welcomes a worker that says hello before its launch was noted", () => {
    const { state } = fresh();
    const { number, resumeFrom, ended } = state.attempt!;
    const attempt = { stage: "launching", number, resumeFrom, process: null, ended } as const;
    const launching: State = { ...state, attempt };
    const versions = { torch: "2.13.0" };
    const body = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here", attempt: 1, versions };
    const welcomed = reduce(launching, { type: "worker/connected", attempt: 1, body });
    expect(welcomed.commands.map(({ type }) => type)).toEqual(["worker/welcome"]);
    const noted = reduce(welcomed.state, { type: "attempt/launched", attempt: 1, pid: 7, startTime: "9" });
    expect(noted.state.attempt).toMatchObject({ stage: "preparing", process: { pid: 7, startTime: "9" } });
  });

  it("fails where the worker cannot be launched, or speaks another protocol", () => {
    const failed = fresh();
    failed.emit({ type: "attempt/launchFailed", attempt: 1, code: "no_python", message: "no python", hint: "install" });
    expect(failed.state.end).toMatchObject({ outcome: "failed", exitCode: 2, code: "no_python" });
    const foreign = fresh();
    foreign.emit({ type: "attempt/incompatible", attempt: 1, theirs: "2.0", ours: "1.0" });
    expect(foreign.state.end).toMatchObject({
      exitCode: 2,
      code: "incompatible_protocol",
      message: "the worker speaks protocol 2.0, this controller 1.0",
    });
    expect(foreign.state.attempts.launched).toBe(1);
  });
});

describe("an interrupt", () => {
  it("recalls a training worker, stops it with a checkpoint, and ends with 130", () => {
    const run = training();
    run.act({ do: "tell" });
    run.act({ do: "workAlone", times: 1 });
    run.act({ do: "interrupt" });
    expect(run.ordered("worker/recall")).toHaveLength(1);
    run.until(({ end }) => end !== null);
    expect(run.ordered("worker/stop").map(({ body }) => body)).toEqual([{ reason: "interrupted", checkpoint: true }]);
    expect(run.state.end).toEqual({
      outcome: "stopped",
      exitCode: 130,
      message: "the run was interrupted; its last checkpoint is at step 8",
    });
  });

  it("writes no second checkpoint of the same step", () => {
    const run = fresh().until(
      ({ weights: { checkpoints }, attempt }) => checkpoints.length === 1 && factsOf(attempt).grant!.until === 8,
    );
    run.act({ do: "interrupt" });
    run.act({ do: "work", times: 10 });
    expect(run.ordered("worker/stop").map(({ body }) => body.checkpoint)).toEqual([false]);
  });

  it("kills a worker that does not train yet, and ends without a checkpoint", () => {
    const run = fresh();
    run.act({ do: "interrupt" });
    expect(run.state.end).toMatchObject({
      exitCode: 130,
      message: "the run was interrupted; it has no checkpoint yet",
    });
  });

  it("does not wait the second time", () => {
    const run = training();
    run.act({ do: "interrupt" });
    run.act({ do: "interrupt" });
    expect(run.ordered("worker/kill")).toHaveLength(1);
    expect(run.state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
  });
});

describe("a clock that runs out", () => {
  it.each([
    ["connect", "it did not connect within 60 s"],
    ["ready", "it was not ready to train within 60 s"],
    ["progress", "it made no progress within 60 s"],
    ["stop", "it did not stop within 60 s"],
  ] as const)("(%s) kills the attempt and starts the next", (clock, why) => {
    const run = training();
    run.emit({ type: "attempt/timedOut", attempt: 1, clock, seconds: 60 });
    expect(run.ordered("worker/kill")).toHaveLength(1);
    expect(run.decided("attempt/ended")).toEqual([{ type: "attempt/ended", attempt: 1, why, restart: true }]);
    expect(run.state.attempt!.number).toBe(2);
  });

  it("that is only shown changes nothing", () => {
    const { state } = training();
    const quiet = { type: "attempt/quiet", attempt: 1, what: "work", seconds: 60 } as const;
    expect(reduce(state, quiet).state).toBe(state);
  });
});

describe("what a worker reports", () => {
  it("keeps the newest checkpoints and lets the others go", () => {
    const run = fresh("checkpoint.keep=3").finish();
    expect(run.state.weights.checkpoints.map(({ step }) => step)).toEqual([48, 55, 60]);
    const removed = run.ordered("checkpoint/remove").flatMap(({ paths }) => paths);
    expect(removed).toEqual([6, 13, 20, 27, 34, 41].map((step) => `checkpoints/step-${String(step).padStart(8, "0")}`));
  });

  it("keeps the first result of a step and split", () => {
    const run = fresh().until(({ scores: { evaluations } }) => evaluations.length === 2);
    const before = run.state.scores.evaluations;
    const again = { step: 60, split: "in_dist", values: { accuracy: 0 }, num_examples: 1, regenerated: false };
    run.say("worker/evaluated", again);
    expect(run.state.scores.evaluations).toEqual(before);
  });

  it("keeps the last loss, the first of its step", () => {
    const run = training();
    const progress = { samples_per_second: 1, phase: "train", detail: "" } as const;
    const nan = { non_finite: "nan" } as const;
    const said = [
      [8, nan, { step: 8, loss: nan }],
      [8, 1, { step: 8, loss: nan }],
      [8, null, { step: 8, loss: nan }],
      [7, 1, { step: 8, loss: nan }],
    ] as const;
    for (const [step, loss, expected] of said) {
      run.say("worker/progressed", { step, loss, ...progress });
      expect(run.state.progress.loss).toEqual(expected);
    }
  });
});

describe("a run that has ended", () => {
  it("changes by nothing but a new controller", () => {
    const { state } = fresh().finish();
    expect(reduce(state, { type: "controller/interrupted", signal: "SIGINT" }).state).toBe(state);
    const resumed = reduce(state, { type: "controller/started", term: 2, pid: 1, host: "here" });
    expect(resumed.state).toMatchObject({ end: null, term: 2, attempt: { number: 2, resumeFrom: { step: 60 } } });
  });
});
