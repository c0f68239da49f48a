import { expect, it } from "vitest";
import { droppedUpdates, everyAt, everyOf, isPoint, withGrid } from "../../src/core/grid.js";
import { pointSeries } from "../../src/core/point-series.js";
import { begun } from "./begun-run.js";

const point = (update: number) => {
  const errors = { standardError: null, changeError: null, spanError: null };
  return { update, value: update, ...errors, seconds: 0 };
};

it("has the first update as a point, and multiples", () => {
  expect([-3, 0, 1, 2, 3, 6, 7].filter((index) => isPoint(index, 3))).toEqual([1, 3, 6]);
});

it("takes what is not on it out of what was measured, and out of nothing else", () => {
  const { state } = begun("probe.every=2");
  const points = pointSeries([1, 2, 4, 6].map(point));
  const series = { "probe/fisher_trace": points, "recorded/validation_loss": points };
  const measured = { ...state, signal: { ...state.signal, series } };
  const next = withGrid(measured, { every: 6, from: 6, choice: null });
  expect(next.signal.series["probe/fisher_trace"]!.map(({ update }) => update)).toEqual([1, 6]);
  expect(next.signal.series["recorded/validation_loss"]).toBe(points);
  expect(droppedUpdates(next.signal)).toEqual([2, 4]);
  expect(next.signal).toMatchObject({ prefix: null, judgement: null });
});

it("leaves the series alone where all points are on it", () => {
  const { state } = begun("probe.every=2");
  const next = withGrid(state, { every: 2, from: 4, choice: null });
  expect(next.signal.series).toBe(state.signal.series);
  expect(droppedUpdates(next.signal)).toEqual([]);
});

it("holds behind the boundary of the choice; up to there it was the configured one", () => {
  const { state } = begun("probe.every=2");
  expect([everyOf(state), everyAt(state, 99)]).toEqual([2, 2]);
  const next = withGrid(state, { every: 6, from: 4, choice: null });
  expect([everyOf(next), everyAt(next, 4), everyAt(next, 5)]).toEqual([6, 2, 6]);
});
