import { describe, expect, it } from "vitest";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";
import { factsOf } from "../../support/worker-facts.js";

const LONG = "checkpoint.every=1000";

function applied(run: SimulatedRun): (readonly [string, number])[] {
  return run.decided("operator/applied").map(({ id, update }) => [id, update] as const);
}

describe("unfreeze", () => {
  it("decides k before k is decided", () => {
    const run = new SimulatedRun(simulatedConfig()).until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "tell" });
    run.act({ do: "workAlone", times: 1 });
    run.act({ do: "request", request: { verb: "unfreeze" } });
    run.finish();
    expect(run.state.interval).toMatchObject({ k: 9, source: "operator", kOfflineReason: "the operator decided" });
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([9, 18, 27]);
    expect(applied(run)).toEqual([["c1", 9]]);
  });

  it("takes the next block early after that, until none is frozen", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(
      ({ progress }) => progress.frontier >= 20,
    );
    for (let time = 0; time < 3; time += 1) {
      run.act({ do: "work", times: 5 });
      run.act({ do: "request", request: { verb: "unfreeze" } });
      run.act({ do: "work", times: 5 });
    }
    expect(run.finish().state.interval!.k).toBe(20);
    expect(run.state.operator.changes).toHaveLength(2);
    expect(run.decided("operator/refused").map(({ why }) => why)).toEqual(["no block is frozen any more"]);
    expect(applied(run).map(([id]) => id)).toEqual(["c1", "c2"]);
  });

  it("waits, after a crash, until the run is where it was: history is not rewritten", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(
      ({ progress }) => progress.frontier >= 40,
    );
    run.act({ do: "die", lost: 0 });
    run.act({ do: "request", request: { verb: "unfreeze" } });
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5, at: 3 } });
    run.finish();
    expect(run.state.operator.changes.map(({ update }) => update)).toEqual([40, 40]);
  });
});

describe("an order", () => {
  it("that was given to an attempt that died is given to the next, and only then applied", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "request", request: { verb: "evaluate" } });
    run.until(({ attempt }) => factsOf(attempt).grant?.orders.includes("evaluate") === true);
    run.act({ do: "die", lost: 0 });
    run.until(({ attempt }) => factsOf(attempt).applied);
    expect(applied(run)).toEqual([]);
    run.until(({ scores: { evaluatedAt } }) => evaluatedAt.length === 1);
    expect(applied(run)).toEqual([["c1", factsOf(run.state.attempt).update]]);
  });

  it("for a checkpoint that exists is done at once", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(({ attempt }) => factsOf(attempt).applied);
    run.until(({ weights: { checkpoints }, attempt }) => checkpoints.length === 1 && factsOf(attempt).applied);
    run.act({ do: "request", request: { verb: "checkpoint" } });
    const saved = run.records.filter(({ event }) => event.type === "worker/checkpointed").length;
    run.until(({ attempt }) => factsOf(attempt).update > 7);
    expect(run.records.filter(({ event }) => event.type === "worker/checkpointed").length - saved).toBeLessThanOrEqual(
      1,
    );
    expect(applied(run)).toHaveLength(1);
  });
});

describe("a stop", () => {
  it("that the worker dies before it obeys ends the run, and is carried out with that", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "request", request: { verb: "stop" } });
    run.act({ do: "die", lost: 9 });
    expect(run.state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
    expect(run.state.end).toHaveProperty("message", expect.stringMatching(/^the operator stopped the run/));
    expect(applied(run).map(([id]) => id)).toEqual(["c1"]);
    expect(run.ordered("worker/launch")).toHaveLength(1);
  });

  it("for a later update keeps no lost worker from its restart", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "request", request: { verb: "stop", at: 40 } });
    run.act({ do: "die", lost: 9 });
    expect(run.ordered("worker/launch")).toHaveLength(2);
    expect(run.until(({ end }) => end !== null).state.end).toMatchObject({ outcome: "stopped" });
  });
});

describe("set-lr", () => {
  it("is applied when the worker says so, not while it stands still", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(
      ({ progress }) => progress.frontier >= 1,
    );
    run.act({ do: "request", request: { verb: "pause" } });
    run.act({ do: "work", times: 3 });
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5 } });
    run.act({ do: "request", request: { verb: "evaluate" } });
    run.act({ do: "work", times: 10 });
    const { update } = factsOf(run.state.attempt);
    expect(applied(run)).toEqual([
      ["c1", update],
      ["c3", update],
    ]);
    run.act({ do: "request", request: { verb: "continue" } });
    run.act({ do: "work", times: 3 });
    expect(applied(run).at(-1)).toEqual(["c2", update]);
  });

  it("is refused behind the last update", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(
      ({ attempt }) => factsOf(attempt).grant?.orders.includes("evaluate") === true,
    );
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5 } });
    run.finish();
    expect(run.decided("operator/refused").map(({ why }) => why)).toEqual(["the run ends after update 60"]);
    expect(run.state.operator.changes).toEqual([]);
    expect([...run.state.scores.evaluatedAt]).toEqual([61]);
  });
});

describe("unfreezing where the intervention starts later", () => {
  const DELAYED = simulatedConfig("intervention.start=14", "intervention.k_max=20");

  it("is refused before the start: nothing is frozen there", () => {
    const run = new SimulatedRun(DELAYED).until(({ progress }) => progress.frontier >= 7);
    run.act({ do: "request", request: { verb: "unfreeze" } });
    run.act({ do: "request", request: { verb: "unfreeze", at: 13 } });
    run.finish();
    const why = "nothing is frozen before update 14, where the intervention starts";
    expect(run.decided("operator/refused").map((refused) => refused.why)).toEqual([why, why]);
    expect(run.state.interval).toMatchObject({ k: 16, source: "online" });
  });

  it("decides k in the intervention's count from there on", () => {
    const run = new SimulatedRun(DELAYED).until(({ progress }) => progress.frontier >= 7);
    run.act({ do: "request", request: { verb: "unfreeze", at: 20 } });
    run.finish();
    expect(run.state.interval).toMatchObject({ k: 7, source: "operator", decidedAt: 20 });
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([20, 27, 34]);
  });
});
