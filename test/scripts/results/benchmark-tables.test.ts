import { describe, expect, it } from "vitest";
import { BENCHMARK_TABLES, cells, type BenchmarkRow } from "../../../scripts/results/benchmark-tables.mjs";

const ROW: BenchmarkRow = {
  part: "fisher",
  what: "tr(F)",
  ratio: { lower: 1.23456, median: 1.5, upper: 2 },
  target: { at_least: 1.4, at_most: null },
  met: true,
  sides: { thawline: { lower: 1, median: 2, upper: 3 }, vmap: { lower: 2, median: 3.14159, upper: 4 } },
  settings: { width: 8, points: 64, rounds: 3 },
};

describe("a row of a benchmark", () => {
  it("has the median and the quartiles of its rounds", () => {
    expect(cells(ROW)).toEqual(["fisher", "tr(F)", 64, 3, "1.5 [1.23, 2]", ">= 1.4", "2", "3.14 (vmap)"]);
  });

  it("shows no quartiles of one round", () => {
    expect(cells({ ...ROW, settings: { points: 64, rounds: 1 } }).slice(2, 5)).toEqual([64, 1, "1.5 (n = 1)"]);
  });

  it("is of one round and of no points where it names none", () => {
    expect(cells({ ...ROW, settings: { updates: 400 } }).slice(2, 5)).toEqual(["-", 1, "1.5 (n = 1)"]);
  });

  it("says which target was missed, and that there was none", () => {
    expect(cells({ ...ROW, met: false })[5]).toBe(">= 1.4: **missed**");
    expect(cells({ ...ROW, target: null, met: null })[5]).toBe("-");
  });

  it("has a cell for every heading", () => {
    for (const table of Object.values(BENCHMARK_TABLES)) {
      const { head, rows } = table();
      expect(rows.map((row) => row.length)).toEqual(rows.map(() => head.length));
    }
  });
});
