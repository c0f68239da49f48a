import { describe, expect, it } from "vitest";
import { simulatedConfig, SimulatedRun } from "./simulated-run.js";

const LONG = "checkpoint.every=1000";

function applied(run: SimulatedRun): (readonly [string, number])[] {
  return run.decided("operator/applied").map(({ id, update }) => [id, update] as const);
}

describe("unfreeze", () => {
  it("decides k before k is decided", () => {
    const run = new SimulatedRun(simulatedConfig()).until(({ frontier }) => frontier >= 8);
    run.act({ do: "tell" });
    run.act({ do: "workAlone", times: 1 });
    run.act({ do: "command", command: { verb: "unfreeze" } });
    run.finish();
    expect(run.state.interval).toMatchObject({ k: 9, source: "operator", kOfflineReason: "the operator decided" });
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([9, 18, 27]);
    expect(applied(run)).toEqual([["c1", 9]]);
  });

  it("takes the next block early after that, until none is frozen", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(({ frontier }) => frontier >= 20);
    for (let time = 0; time < 3; time += 1) {
      run.act({ do: "work", times: 5 });
      run.act({ do: "command", command: { verb: "unfreeze" } });
      run.act({ do: "work", times: 5 });
    }
    expect(run.finish().state.interval!.k).toBe(20);
    expect(run.state.operatorChanges).toHaveLength(2);
    expect(run.decided("operator/refused").map(({ why }) => why)).toEqual(["no block is frozen any more"]);
    expect(applied(run).map(([id]) => id)).toEqual(["c1", "c2"]);
  });

  it("waits, after a crash, until the run is where it was: history is not rewritten", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(({ frontier }) => frontier >= 40);
    run.act({ do: "die", lost: 0 });
    run.act({ do: "command", command: { verb: "unfreeze" } });
    run.act({ do: "command", command: { verb: "set-lr", factor: 0.5, at: 3 } });
    run.finish();
    expect(run.state.operatorChanges.map(({ update }) => update)).toEqual([40, 40]);
  });
});

describe("an order", () => {
  it("that was given to an attempt that died is given to the next, and only then applied", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(({ frontier }) => frontier >= 8);
    run.act({ do: "command", command: { verb: "evaluate" } });
    run.until(({ attempt }) => attempt!.grant?.orders.includes("evaluate") === true);
    run.act({ do: "die", lost: 0 });
    run.until(({ attempt }) => attempt!.applied);
    expect(applied(run)).toEqual([]);
    run.until(({ evaluatedAt }) => evaluatedAt.length === 1);
    expect(applied(run)).toEqual([["c1", run.state.attempt!.update]]);
  });

  it("for a checkpoint that exists is done at once", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(
      ({ attempt }) => attempt?.applied === true,
    );
    run.until(({ checkpoints, attempt }) => checkpoints.length === 1 && attempt!.applied);
    run.act({ do: "command", command: { verb: "checkpoint" } });
    const saved = run.records.filter(({ event }) => event.type === "worker/checkpointed").length;
    run.until(({ attempt }) => attempt!.update > 7);
    expect(run.records.filter(({ event }) => event.type === "worker/checkpointed").length - saved).toBeLessThanOrEqual(
      1,
    );
    expect(applied(run)).toHaveLength(1);
  });
});

describe("set-lr", () => {
  it("is applied when the worker says so, not while it stands still", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20", LONG)).until(({ frontier }) => frontier >= 1);
    run.act({ do: "command", command: { verb: "pause" } });
    run.act({ do: "work", times: 3 });
    run.act({ do: "command", command: { verb: "set-lr", factor: 0.5 } });
    run.act({ do: "command", command: { verb: "evaluate" } });
    run.act({ do: "work", times: 10 });
    const { update } = run.state.attempt!;
    expect(applied(run)).toEqual([
      ["c1", update],
      ["c3", update],
    ]);
    run.act({ do: "command", command: { verb: "continue" } });
    run.act({ do: "work", times: 3 });
    expect(applied(run).at(-1)).toEqual(["c2", update]);
  });

  it("is refused behind the last update", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=20")).until(
      ({ attempt }) => attempt?.grant?.orders.includes("evaluate") === true,
    );
    run.act({ do: "command", command: { verb: "set-lr", factor: 0.5 } });
    run.finish();
    expect(run.decided("operator/refused").map(({ why }) => why)).toEqual(["the run ends after update 60"]);
    expect(run.state.operatorChanges).toEqual([]);
    expect(run.state.evaluatedAt).toEqual([61]);
  });
});
