import { describe, expect, it } from "vitest";
import type { Training } from "../../src/core/attempt/attempt.js";
import { reachBoundary } from "../../src/core/boundary.js";
import type { State } from "../../src/core/state.js";
import type { Body, MetricValue } from "../../src/protocol/messages.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

const CONFIG = simulatedConfig("intervention.k_max=20");

function runWith(signal: (update: number) => MetricValue): SimulatedRun {
  return new SimulatedRun(CONFIG, trainingOf(CONFIG, { signal }));
}

describe("a boundary's metrics", () => {
  it("extend the series in order, with their errors", () => {
    const { state } = new SimulatedRun(CONFIG).until(({ progress }) => progress.frontier === 6);
    expect([...state.signal.series["probe/fisher_trace"]!]).toEqual([
      { update: 1, value: 0, standardError: 0.001, changeError: null, spanError: null, seconds: 0.5 },
      { update: 2, value: 0.7, standardError: 0.001, changeError: 0.001, spanError: null, seconds: 0.5 },
      { update: 4, value: 1 - 0.3 ** 2, standardError: 0.001, changeError: 0.001, spanError: null, seconds: 0.5 },
      { update: 6, value: 1 - 0.3 ** 3, standardError: 0.001, changeError: 0.001, spanError: 0.001, seconds: 0.5 },
    ]);
  });

  it("are ignored, and said to be, where they are not finite", () => {
    const infinite: MetricValue = { non_finite: "inf" };
    const run = runWith((update) => (update === 4 ? infinite : 1)).until(({ progress }) => progress.frontier === 6);
    expect(run.decided("signal/ignored")).toEqual([
      { type: "signal/ignored", update: 4, key: "probe/fisher_trace", value: "inf" },
    ]);
    expect(run.decided("signal/judged").map(({ update, judgement }) => [update, judgement.points])).toEqual([
      [1, 1],
      [2, 2],
      [6, 3],
    ]);
  });

  it("stand as first measured; a difference takes the promise back, once", () => {
    let offset = 0;
    const run = runWith((update) => update + offset).until(({ progress }) => progress.frontier === 4);
    for (let crash = 0; crash < 2; crash += 1) {
      offset = 0.5;
      run.act({ do: "crash", lost: 0 });
      run.until(({ attempt }) => factsOf(attempt).update === 4);
    }
    expect(run.state.signal.series["probe/fisher_trace"]!.map(({ value }) => value)).toEqual([1, 2, 4]);
    expect(run.decided("signal/differed")[0]).toMatchObject({ update: 1, first: "1", again: "1.5" });
    expect(run.decided("identity/dropped").map(({ why }) => why)).toEqual(
      [1, 2, 4].map((update) => `a signal measured again at boundary ${update} differed from its first value`),
    );
    expect(run.finish().state.identityDropped.slice(0, 3)).toEqual(
      run
        .decided("identity/dropped")
        .slice(0, 3)
        .map(({ why }) => why),
    );
  });
});

describe("how far blocks have moved", () => {
  const begun = () => new SimulatedRun(CONFIG).until(({ progress }) => progress.frontier === 4).state;
  const NONE = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };

  function told(state: State, update: number, moved?: Body<"boundary">["moved"]): State {
    const attempt = { ...state.attempt, stage: "training", recalled: true, update: 1 } as Training;
    const body = { update, recalled: true, metrics: [], seconds: NONE, ...(moved === undefined ? {} : { moved }) };
    return reachBoundary({ ...state, attempt }, attempt, body).state;
  }

  it("stands as the furthest boundary said it, and is not known where that one does not say it", () => {
    const state = begun();
    expect(state.progress.moved).toBeNull();
    const distances = [0.5, 0.25, null, { non_finite: "nan" } as const];
    const moved = distances.slice(0, state.model!.blocks.length + 1);
    const known = told(state, 4, moved);
    expect(known.progress.moved).toEqual({ update: 4, distances: moved });
    const zeros = moved.map(() => 0);
    expect(told(known, 2, zeros).progress.moved).toEqual({ update: 4, distances: moved });
    expect(told(known, 4, zeros).progress.moved).toEqual({ update: 4, distances: zeros });
    expect(told(known, 4).progress.moved).toBeNull();
  });

  it("ends the attempt of a worker that tells of other blocks than the model has", () => {
    const state = begun();
    const count = state.model!.blocks.length;
    const ended = told(state, 4, Array<number>(count).fill(0));
    expect(ended.progress.moved).toBeNull();
    expect(JSON.stringify(ended.attempt)).toContain(
      `it said of ${count} blocks how far they moved, the model has ${count} and a head`,
    );
  });
});

describe("a probe that a recall cut short", () => {
  it("is taken up again, so that asking does not change what is decided", () => {
    const run = new SimulatedRun(CONFIG).until(({ attempt }) => factsOf(attempt).grant?.until === 8);
    run.act({ do: "workAlone", times: 2 });
    run.act({ do: "request", request: { verb: "evaluate" } });
    run.act({ do: "work", times: 2 });
    expect([...run.state.scores.evaluatedAt]).toEqual([]);
    run.finish();
    expect(run.state.interval).toMatchObject({ k: 16, source: "online" });
    expect(run.decided("signal/judged").map(({ update }) => update)).toEqual([1, 2, 4, 6, 8, 10, 12, 14, 16]);
  });
});

describe("deciding k", () => {
  it("judges each boundary once, though a crash makes the worker pass it again", () => {
    const run = new SimulatedRun(CONFIG).until(({ progress }) => progress.frontier === 6);
    run.act({ do: "crash", lost: 0 });
    run.finish();
    expect(run.decided("signal/judged").map(({ update }) => update)).toEqual([1, 2, 4, 6, 8, 10, 12, 14, 16]);
  });

  it("happens at k_max at the latest, and says so", () => {
    const { interval } = runWith((update) => update).finish().state;
    expect(interval).toMatchObject({ k: 20, source: "cap", decidedAt: 20 });
  });

  it("happens at k_max also where the signal is never finite", () => {
    const { interval } = runWith(() => ({ non_finite: "nan" })).finish().state;
    expect(interval).toMatchObject({ k: 20, source: "cap", kOffline: null });
  });
});

describe("the end of training", () => {
  it("is a checkpoint, an evaluation, and then the order to stop", () => {
    const run = new SimulatedRun(CONFIG).finish();
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ until: 61, orders: ["checkpoint", "evaluate"] });
    expect(run.ordered("worker/stop")).toEqual([
      { type: "worker/stop", attempt: 1, body: { reason: "finished", checkpoint: false } },
    ]);
    expect(run.state.weights.checkpoints.at(-1)!.step).toBe(60);
    expect(run.state.scores.evaluations.map(({ step, split }) => [step, split])).toEqual([
      [60, "in_dist"],
      [60, "ood/fog"],
    ]);
  });

  it("does not evaluate twice what is in the journal", () => {
    const run = new SimulatedRun(CONFIG).until(({ attempt }) => attempt?.stage === "stopping");
    run.act({ do: "crash", lost: 0 });
    run.finish();
    const evaluated = run.records.filter(({ event }) => event.type === "worker/evaluated");
    expect(evaluated).toHaveLength(2);
  });
});

describe("pause", () => {
  it("holds the worker at the boundary, and keeps the mask of the update before", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=12")).until(({ progress }) => progress.frontier === 7);
    run.act({ do: "request", request: { verb: "pause", at: 12 } });
    run.act({ do: "work", times: 50 });
    expect(run.state).toMatchObject({
      operator: { paused: true },
      progress: { frontier: 12 },
      attempt: { stage: "waiting", update: 12 },
    });
    run.act({ do: "request", request: { verb: "evaluate" } });
    run.act({ do: "work", times: 10 });
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ until: 12, trainable: ["head"] });
    run.act({ do: "request", request: { verb: "continue" } });
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ until: 14, trainable: ["head", "block3"] });
  });
});
