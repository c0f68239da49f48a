import { expect, it } from "vitest";
import { METRIC_TABLE, metricRow, METRICS, SIGNALS } from "../src/metrics.js";

it("has a row by name, and none for a metric of a script's own, whatever it is called", () => {
  expect(metricRow("fisher_trace")).toBe(METRIC_TABLE.fisher_trace);
  expect([metricRow("my_metric"), metricRow("toString"), metricRow("")]).toEqual([null, null, null]);
});

it("lets those decide that have a window", () => {
  expect(SIGNALS).toEqual(["fisher_trace", "sharpness_avg", "sharpness_worst", "critical_sharpness"]);
  expect(METRICS).toEqual(expect.arrayContaining(SIGNALS));
});

it("names each series once: no companion has the key of another one or of a metric", () => {
  const companions = METRICS.flatMap((metric) => Object.keys(metricRow(metric)!.companions));
  expect(new Set([...METRICS, ...companions]).size).toBe(METRICS.length + companions.length);
});
