import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderCsv } from "../../../src/report/render/csv.js";
import { renderJson } from "../../../src/report/render/json.js";
import { mark } from "../../../src/report/tables/marks.js";
import { cell, column, type Table } from "../../../src/report/tables/table.js";
import { printable } from "../../../src/printable.js";

/** A reader by RFC 4180. */
function readCsv(source: string): string[][] {
  const rows: string[][] = [[]];
  const fields = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\n)/gy;
  for (let found = fields.exec(source); found !== null; found = fields.exec(source)) {
    const [, field, end] = found;
    rows.at(-1)!.push(field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!);
    if (end === "\n") rows.push([]);
    if (fields.lastIndex === source.length) return rows.slice(0, -1);
  }
  throw new Error("what stands there is no CSV");
}

function tableOf(label: string, parts: Parameters<typeof cell>[0], text: string | null = null): Table {
  return {
    name: "t",
    caption: "",
    stub: "row",
    columns: [column("ood/mean", "OOD")],
    rows: [{ label, marks: [], cells: [cell({ ...parts, text })] }],
    notes: [],
    sources: [],
  };
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("CSV of a table", () => {
  it("has a line for a cell and one for each of its points", () => {
    const table = tableOf("a, b", {
      value: 0.1 + 0.2,
      standardDeviation: 0.01,
      n: 2,
      interval: { lower: 0.1, upper: 0.5, level: 0.95 },
      points: [
        { seed: 0, value: 0.25 },
        { seed: null, value: 1 / 3 },
      ],
      marks: [mark("cap"), mark("regenerated")],
    });
    expect(renderCsv(table).split("\n")).toEqual([
      "table,row,column,unit,origin,kind,seed,value,standard_deviation,n,lower,upper,level,text,marks",
      't,"a, b",ood/mean,share,measured,cell,,0.30000000000000004,0.01,2,0.1,0.5,0.95,,cap regenerated',
      't,"a, b",ood/mean,share,measured,point,0,0.25,,,,,,,cap regenerated',
      't,"a, b",ood/mean,share,measured,point,,0.3333333333333333,,,,,,,cap regenerated',
      "",
    ]);
  });

  it("keeps every digit of every number", () => {
    fc.assert(
      fc.property(finite, (value) => {
        const read = Number(readCsv(renderCsv(tableOf("x", { value })))[1]![7]);
        expect(read === value).toBe(true);
      }),
    );
  });

  it("keeps every text, but for what a terminal would obey", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", " ", "a", "'"), maxLength: 12 }),
    );
    fc.assert(
      fc.property(text, text, (label, words) => {
        const rows = readCsv(renderCsv(tableOf(`${label}!`, {}, `${words}!`)));
        expect(rows.map((row) => row.length)).toEqual([15, 15]);
        expect([rows[1]![1], rows[1]![13]]).toEqual([printable(`${label}!`), printable(`${words}!`)]);
      }),
    );
  });

  it.each(["NA", "None", "null", "nan"])("quotes %s, which pandas would read as nothing", (label) => {
    expect(readCsv(renderCsv(tableOf(label, {})))[1]![1]).toBe(`"${label}"`);
  });
});

describe("JSON of a table", () => {
  it("is the table itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), finite, (label, value) => {
        const table = tableOf(label, { value: value === 0 ? 0 : value });
        expect(JSON.parse(renderJson(table))).toEqual(table);
      }),
    );
  });
});
