import { expect, it } from "vitest";
import { gapsOf, pointsOf } from "../../../src/ui/chart/curve.js";
import { observed } from "../../support/moments.js";
import { simulateRun } from "../../support/journal-builder.js";

it("follow the signal, and its average over the last tau points", () => {
  const run = simulateRun({ until: ({ interval }) => interval !== null });
  const { measured, average } = observed(run).curves.signal;
  const [first] = pointsOf(average);
  expect(first).toEqual({ x: 20, y: expect.closeTo((0.00144 + 0.00474 + 0.01108) / 3, 10) as number });
  expect(pointsOf(average)).toHaveLength(pointsOf(measured).length - 2);
  expect(gapsOf(measured)).toEqual([]);
});

it("keep what is not a number as a gap", () => {
  const run = simulateRun({
    signal: (point) => (point === 2 ? { non_finite: "nan" } : point),
    until: ({ progress }) => progress.frontier >= 50,
  });
  const { measured, average } = observed(run).curves.signal;
  expect(gapsOf(measured)).toEqual([20]);
  for (const { y } of pointsOf(average)) expect(y).not.toBeNaN();
});

it("have every loss that was told", () => {
  const run = simulateRun({ loss: (step) => (step === 19 ? { non_finite: "inf" } : step) });
  const { loss } = observed(run).curves;
  expect(pointsOf(loss).every(({ x, y }) => x === y)).toBe(true);
  expect(gapsOf(loss)).toEqual([19]);
});
