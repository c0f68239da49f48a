import { describe, expect, it } from "vitest";
import { composeGrant } from "../../src/core/grant.js";
import { begun, QUIET } from "./begun-run.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

describe("composeGrant", () => {
  it("keeps the state of the update before when it has no length", () => {
    const { state, model } = begun("intervention.k=10");
    const trainable = (update: number, stay: boolean): number =>
      composeGrant(state, model, update, [], stay).trainable.length;
    expect([trainable(10, true), trainable(10, false), trainable(11, true)]).toEqual([1, 2, 2]);
    expect(composeGrant(state, model, 10, ["evaluate"], true)).toMatchObject({ until: 10, orders: ["evaluate"] });
  });
});

describe("what is announced", () => {
  it("each change once, though a crash makes the worker pass it again", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=12")).until(({ progress }) => progress.frontier >= 28);
    run.act({ do: "crash", lost: 0 });
    run.finish();
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([12, 24, 36]);
  });

  it("a second change before the same update too", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=12", QUIET)).until(
      ({ progress }) => progress.frontier >= 12,
    );
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5 } });
    run.finish();
    expect(run.state.operator.changes).toEqual([{ kind: "learningRate", update: 12, factor: 0.5 }]);
    expect(run.decided("learningRate/changed")).toEqual([{ type: "learningRate/changed", update: 12, factor: 0.5 }]);
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([12, 24, 36]);
  });
});
