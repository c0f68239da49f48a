import { describe, expect, it } from "vitest";
import { markLetters } from "../../../src/report/render/mark-letters.js";
import { mark, scaleMarks, type Mark } from "../../../src/report/tables/marks.js";
import { cell, column, type Cell, type Table } from "../../../src/report/tables/table.js";

const [cap, regenerated, jpeg] = [mark("cap"), mark("regenerated"), mark("jpeg")];
const value = (...marks: Mark[]): Cell => cell({ value: 1, marks });

function tableOf(...rows: Cell[][]): Table {
  const columns = rows[0]!.map((_, index) => column(`c${index}`, `c${index}`));
  return {
    name: "t",
    caption: "",
    stub: "",
    columns,
    rows: rows.map((cells) => ({ label: "", marks: [], cells })),
    notes: [],
    sources: [],
  };
}

describe("letters of marks", () => {
  it("stand at a heading where the whole column has them, whatever is empty in it", () => {
    const { ofColumn, ofCell, ofRow } = markLetters(tableOf([value(regenerated)], [cell()], [value(regenerated)]));
    expect({ ofColumn, ofCell, ofRow }).toEqual({ ofColumn: ["a"], ofCell: [[""], [""], [""]], ofRow: ["", "", ""] });
  });

  it("stand at a label where the rest of the row has them, else at the cell", () => {
    const { ofColumn, ofCell, ofRow } = markLetters(
      tableOf([value(jpeg, cap), value(cap)], [value(jpeg), value()], [value(jpeg), value(cap)]),
    );
    expect(ofColumn).toEqual(["a", ""]);
    expect(ofRow).toEqual(["b", "", ""]);
    expect(ofCell).toEqual([
      ["", ""],
      ["", ""],
      ["", "b"],
    ]);
  });

  it("stay at the only cell that says something", () => {
    expect(markLetters(tableOf([value(cap)], [cell()])).ofCell[0]).toEqual(["a"]);
  });

  it("are explained, each once, in the order of the marks", () => {
    const { legend } = markLetters(tableOf([value(cap, ...scaleMarks("small")), value(regenerated, cap)]));
    expect(legend.map(({ letter, words }) => `${letter} ${words.slice(0, 12)}`)).toEqual([
      "a made at scal",
      "b corrupted im",
      "c k of at leas",
    ]);
  });
});
