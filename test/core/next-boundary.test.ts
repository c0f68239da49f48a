import { describe, expect, it } from "vitest";
import { nextBoundary } from "../../src/core/next-boundary.js";
import { begun, QUIET } from "./begun-run.js";

function boundariesFrom(first: number, ...overrides: string[]): number[] {
  const { state, model } = begun(...overrides);
  const boundaries: number[] = [];
  for (let next: number | null = first; next !== null && next <= model.numUpdates!;) {
    next = nextBoundary(state, model, next);
    if (next !== null) boundaries.push(next);
  }
  return boundaries;
}

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
    const request = { id: "a", who: "me", request: { verb: "pause", at: 30 } } as const;
    expect(nextBoundary({ ...state, operator: { ...state.operator, requests: [request] } }, model, 1)).toBe(30);
    expect(
      nextBoundary(
        {
          ...state,
          operator: { ...state.operator, requests: [request] },
          progress: { ...state.progress, frontier: 20 },
        },
        model,
        1,
      ),
    ).toBe(20);
  });
});
