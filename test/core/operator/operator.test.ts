import { describe, expect, it } from "vitest";
import type { OperatorRequest } from "../../../src/core/events.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

function training(...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig("intervention.k=20", ...overrides)).until(
    ({ progress }) => progress.frontier >= 8,
  );
}

function refusals(run: SimulatedRun): string[] {
  return run.decided("operator/refused").map(({ why }) => why);
}

describe("a request", () => {
  it("recalls the training worker once, however many there are", () => {
    const run = training();
    run.act({ do: "request", request: { verb: "checkpoint" } });
    run.act({ do: "request", request: { verb: "evaluate" } });
    expect(run.ordered("worker/recall")).toEqual([{ type: "worker/recall", attempt: 1 }]);
    expect(run.decided("operator/accepted").map(({ id }) => id)).toEqual(["c1", "c2"]);
  });

  it("is taken once, by its id", () => {
    const run = training();
    for (let time = 0; time < 2; time += 1) {
      const request = { verb: "set-lr", factor: 0.5 } as const;
      run.emit({ type: "operator/requested", id: "same", who: "me", request });
    }
    expect(run.finish().state.operator.changes).toHaveLength(1);
  });

  it("waits for the update it names", () => {
    const run = training();
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5, at: 33 } });
    run.finish();
    expect(run.state.operator.changes).toEqual([{ kind: "learningRate", update: 33, factor: 0.5 }]);
    expect([32, 33].map((update) => run.trained.get(update)!.factor)).toEqual([1, 0.5]);
  });

  it("waits for the next attempt while the present one is being killed", () => {
    const run = training();
    run.act({ do: "request", request: { verb: "pause" } });
    run.until(({ operator: { paused } }) => paused);
    const { state } = run;
    run.state = { ...state, attempt: { ...state.attempt!, ended: { why: "it broke the protocol", refusal: null } } };
    run.act({ do: "request", request: { verb: "continue" } });
    expect(run.records.at(-1)!.commands).toEqual([]);
    expect(run.state.operator.requests).toHaveLength(1);
  });

  it("stops the run with a checkpoint", () => {
    const run = training();
    run.act({ do: "work", times: 5 });
    run.act({ do: "request", request: { verb: "stop" } });
    run.until(({ end }) => end !== null);
    expect(run.ordered("worker/stop").map(({ body }) => body)).toEqual([{ reason: "operator", checkpoint: true }]);
    expect(run.state.end).toMatchObject({
      exitCode: 130,
      message: expect.stringMatching(/^the operator stopped/) as string,
    });
  });
});

describe("a request is refused", () => {
  it.each<[string, OperatorRequest]>([
    ["the learning-rate factor must be a finite number of at least 0", { verb: "set-lr", factor: -1 }],
    ["the learning-rate factor must be a finite number of at least 0", { verb: "set-lr", factor: Infinity }],
    ["the learning-rate factor must be a finite number of at least 0", { verb: "set-lr", factor: NaN }],
    ["the run ends after update 60", { verb: "pause", at: 61 }],
  ])("where %s", (why, request) => {
    const run = training();
    run.act({ do: "request", request });
    expect(refusals(run)).toEqual([why]);
  });

  it("where nothing is ever frozen", () => {
    const run = training("intervention.kind=learning_rate_switch");
    run.act({ do: "request", request: { verb: "unfreeze" } });
    expect(refusals(run)).toEqual(["this run freezes nothing"]);
  });

  it("where the worker cannot do it, also when that becomes known later", () => {
    const run = training();
    const { model } = run.state;
    run.state = { ...run.state, model: { ...model!, canEvaluate: false } };
    run.act({ do: "request", request: { verb: "evaluate" } });
    expect(refusals(run)).toEqual(["this worker cannot evaluate"]);
    run.state = { ...run.state, model };
    run.act({ do: "request", request: { verb: "checkpoint", at: 30 } });
    run.state = { ...run.state, model: { ...model!, canCheckpoint: false } };
    run.until(({ progress }) => progress.frontier >= 30);
    expect(refusals(run).at(-1)).toBe("this worker cannot write a checkpoint");
  });

  it("while the run is ending, and when it ends before its update", () => {
    const run = training();
    run.act({ do: "request", request: { verb: "evaluate", at: 50 } });
    run.act({ do: "interrupt" });
    run.act({ do: "request", request: { verb: "continue" } });
    expect(refusals(run)).toEqual(["the run is ending"]);
    run.until(({ end }) => end !== null);
    expect(refusals(run)).toEqual(["the run is ending", "the run ended before it took effect"]);
  });
});
