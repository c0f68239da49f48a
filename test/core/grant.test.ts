import { describe, expect, it } from "vitest";
import {
  awaitsInterval,
  composeGrant,
  dueOrders,
  latestInterval,
  metricsAt,
  nextBoundary,
} from "../../src/core/grant.js";
import type { Model, State } from "../../src/core/state.js";
import { simulatedConfig, SimulatedRun } from "./simulated-run.js";

/** A run whose model is known, standing before update 1. */
function begun(...overrides: string[]): { state: State; model: Model } {
  const { state } = new SimulatedRun(simulatedConfig(...overrides)).until(({ model }) => model !== null);
  return { state, model: state.model! };
}

function boundariesFrom(first: number, ...overrides: string[]): number[] {
  const { state, model } = begun(...overrides);
  const boundaries: number[] = [];
  for (let next: number | null = first; next !== null && next <= model.numUpdates!;) {
    next = nextBoundary(state, model, next);
    if (next !== null) boundaries.push(next);
  }
  return boundaries;
}

const QUIET = "checkpoint.every=1000";

describe("nextBoundary", () => {
  it("is every probe point as long as k is searched for, k_max too, and the end", () => {
    const stops = boundariesFrom(1, QUIET, "probe.every=25", "intervention.k_max=33");
    expect(stops).toEqual([25, 33, 50, 61]);
  });

  it("reaches from change to change when k is fixed", () => {
    expect(boundariesFrom(1, QUIET, "intervention.k=17")).toEqual([17, 34, 51, 61]);
    expect(boundariesFrom(1, QUIET, "intervention.k=17", "intervention.kind=learning_rate_switch")).toEqual([17, 61]);
    expect(boundariesFrom(1, QUIET, "intervention.kind=none")).toEqual([61]);
  });

  it("is the start of the intervention, and counted from there", () => {
    expect(boundariesFrom(1, QUIET, "intervention.k=17", "intervention.start=21")).toEqual([21, 37, 54, 61]);
    const online = [QUIET, "probe.every=25", "intervention.k_max=33", "intervention.start=11"];
    expect(boundariesFrom(1, ...online)).toEqual([11, 35, 43, 60, 61]);
  });

  it("is every checkpoint", () => {
    expect(boundariesFrom(1, "checkpoint.every=20", "intervention.k=25")).toEqual([20, 25, 40, 50, 60, 61]);
  });

  it("is null where nothing is foreseen and the run has no known end", () => {
    const { state, model } = begun(QUIET, "intervention.kind=none");
    expect(nextBoundary(state, { ...model, numUpdates: null, canCheckpoint: false }, 1)).toBeNull();
  });

  it("is where an operator's command is due, and where the run was before a crash", () => {
    const { state, model } = begun(QUIET, "intervention.kind=none");
    const request = { id: "a", who: "me", command: { verb: "pause", at: 30 } } as const;
    expect(nextBoundary({ ...state, operatorRequests: [request] }, model, 1)).toBe(30);
    expect(nextBoundary({ ...state, operatorRequests: [request], frontier: 20 }, model, 1)).toBe(20);
  });
});

describe("metricsAt", () => {
  const measured = (...overrides: string[]): number[] => {
    const { state } = begun(...overrides);
    return Array.from({ length: 61 }, (_, index) => index + 1).filter((update) => metricsAt(state, update).length > 0);
  };

  it("measures at update 1 and at multiples of every, as long as they are wanted", () => {
    expect(measured("probe.every=20", "probe.until=end")).toEqual([1, 20, 40, 60]);
    expect(measured("probe.every=20", "probe.until=40")).toEqual([1, 20, 40]);
    expect(measured("probe.every=20")).toEqual([1, 20, 40, 60]);
  });

  it("counts its points from the start of the intervention, and ignores that where there is none", () => {
    expect(measured("probe.every=20", "probe.until=end", "intervention.start=6")).toEqual([6, 25, 45]);
    expect(measured("probe.every=1", "probe.until=22", "intervention.start=20")).toEqual([20, 21, 22]);
    const none = ["intervention.kind=none", "intervention.start=6"];
    expect(measured("probe.every=20", "probe.until=end", ...none)).toEqual([1, 20, 40, 60]);
  });

  it("measures nothing when there is nothing to decide", () => {
    expect(measured("intervention.k=10")).toEqual([]);
    expect(measured("intervention.kind=none")).toEqual([]);
  });

  it("measures up to the decision, that boundary included, also again after a crash", () => {
    const { state } = new SimulatedRun(simulatedConfig("intervention.k_max=20")).finish();
    expect(state.interval!.decidedAt).toBe(16);
    expect([14, 16, 18].map((update) => metricsAt(state, update))).toEqual([["fisher_trace"], ["fisher_trace"], []]);
  });
});

describe("latestInterval", () => {
  const latest = (...overrides: string[]): number | null => {
    const { state, model } = begun(...overrides);
    return latestInterval(state, model);
  };

  it("is floor(N / blocks), or floor(N / 4) for a learning-rate switch, rounded down to a probe boundary", () => {
    expect(latest()).toBe(20);
    expect(latest("probe.every=7")).toBe(14);
    expect(latest("train.updates=61", "intervention.kind=learning_rate_switch", "probe.every=4")).toBe(12);
  });

  it("stays what it is where no probe boundary is left, and is at least 1", () => {
    expect(latest("probe.every=50")).toBe(20);
    expect(latest("train.updates=2")).toBe(1);
  });

  it("is derived from the updates that are left at the start of the intervention", () => {
    expect(latest("intervention.start=31")).toBe(10);
    expect(latest("intervention.start=30", "intervention.kind=learning_rate_switch", "probe.every=1")).toBe(7);
    expect(latest("intervention.start=60")).toBe(1);
  });

  it("is the configured one, and unknown without an end", () => {
    expect(latest("intervention.k_max=33")).toBe(33);
    const { state, model } = begun();
    expect(latestInterval(state, { ...model, numUpdates: null })).toBeNull();
  });
});

describe("awaitsInterval", () => {
  it.each([
    [[], true],
    [["intervention.kind=learning_rate_switch"], true],
    [["intervention.kind=none"], false],
    [["intervention.k=3"], false],
  ])("with %j is %s", (overrides, expected) => {
    expect(awaitsInterval(begun(...overrides).state)).toBe(expected);
  });
});

describe("dueOrders", () => {
  it("orders a checkpoint at multiples of checkpoint.every, once", () => {
    const { state, model } = begun();
    expect([6, 7, 8].map((update) => dueOrders(state, model, update))).toEqual([[], ["checkpoint"], []]);
    const saved = { step: 6, path: "x", manifestSha256: "", weightsSha256: "" };
    expect(dueOrders({ ...state, checkpoints: [saved] }, model, 7)).toEqual([]);
  });

  it("orders a checkpoint and an evaluation at the end, in this order", () => {
    const { state, model } = begun();
    expect(dueOrders(state, model, 61)).toEqual(["checkpoint", "evaluate"]);
    expect(dueOrders({ ...state, evaluatedAt: [61] }, model, 61)).toEqual(["checkpoint"]);
  });

  it("never orders what the worker cannot", () => {
    const { state, model } = begun();
    expect(dueOrders(state, { ...model, canCheckpoint: false, canEvaluate: false }, 61)).toEqual([]);
  });
});

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
    const run = new SimulatedRun(simulatedConfig("intervention.k=12")).until(({ frontier }) => frontier >= 28);
    run.act({ do: "crash", lost: 0 });
    run.finish();
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([12, 24, 36]);
  });

  it("a second change before the same update too", () => {
    const run = new SimulatedRun(simulatedConfig("intervention.k=12", QUIET)).until(({ frontier }) => frontier >= 12);
    run.act({ do: "command", command: { verb: "set-lr", factor: 0.5 } });
    run.finish();
    expect(run.state.operatorChanges).toEqual([{ kind: "learningRate", update: 12, factor: 0.5 }]);
    expect(run.decided("learningRate/changed")).toEqual([{ type: "learningRate/changed", update: 12, factor: 0.5 }]);
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([12, 24, 36]);
  });
});
