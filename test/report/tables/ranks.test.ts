import { describe, expect, it } from "vitest";
import { ranksOf } from "../../../src/report/tables/ranks.js";
import { cell, column, type Column, type Table } from "../../../src/report/tables/table.js";

function ranksIn(values: readonly (number | null)[], rest: Partial<Column> = {}, digits?: number) {
  const table: Table = {
    name: "t",
    caption: "",
    stub: "",
    columns: [column("c", "c", { better: "higher", ...rest })],
    rows: values.map((value) => ({ label: "", marks: [], cells: [cell({ value })] })),
    notes: [],
    sources: [],
  };
  return ranksOf(table, digits).map(([rank]) => rank);
}

describe("ranks in a column", () => {
  it("are the best and the second best, and equal ones share theirs", () => {
    expect(ranksIn([0.3, null, 0.5, 0.4, 0.5])).toEqual([null, null, "best", "second", "best"]);
    expect(ranksIn([0.3, 0.5, 0.4], { better: "lower" })).toEqual(["best", null, "second"]);
  });

  it("see no more than is shown", () => {
    expect(ranksIn([0.50001, 0.50002, 0.4])).toEqual(["best", "best", "second"]);
    expect(ranksIn([0.501, 0.503, 0.4], {}, 0)).toEqual(["best", "best", "second"]);
  });

  it("are none of one value, of equal ones, of the paper's, and where nothing is better", () => {
    expect(ranksIn([0.5, null])).toEqual([null, null]);
    expect(ranksIn([0.5, 0.5])).toEqual([null, null]);
    expect(ranksIn([0.5, 0.4], { origin: "paper" })).toEqual([null, null]);
    expect(ranksIn([0.5, 0.4], { better: null })).toEqual([null, null]);
  });
});
