import { describe, expect, it } from "vitest";
import { dueOrders } from "../../src/core/due-orders.js";
import { begun } from "./begun-run.js";

describe("dueOrders", () => {
  it("orders a checkpoint at multiples of checkpoint.every, once", () => {
    const { state, model } = begun();
    expect([6, 7, 8].map((update) => dueOrders(state, model, update))).toEqual([[], ["checkpoint"], []]);
    const saved = { step: 6, path: "x", manifestSha256: "", weightsSha256: "" };
    expect(dueOrders({ ...state, weights: { ...state.weights, checkpoints: [saved] } }, model, 7)).toEqual([]);
  });

  it("orders a checkpoint and an evaluation at the end, in this order", () => {
    const { state, model } = begun();
    expect(dueOrders(state, model, 61)).toEqual(["checkpoint", "evaluate"]);
    expect(
      dueOrders({ ...state, scores: { ...state.scores, evaluatedAt: state.scores.evaluatedAt.append(61) } }, model, 61),
    ).toEqual(["checkpoint"]);
  });

  it("never orders what the worker cannot", () => {
    const { state, model } = begun();
    expect(dueOrders(state, { ...model, canCheckpoint: false, canEvaluate: false }, 61)).toEqual([]);
  });
});
