import { describe, expect, it } from "vitest";
import { PAPER_TABLES } from "../../../src/report/paper/values.js";
import { TABLE_5 } from "../../../src/config/table-5.js";

describe("the paper's values", () => {
  it("are as many as each table has columns", () => {
    for (const { columns, rows } of PAPER_TABLES) {
      for (const { values } of rows) expect(values).toHaveLength(columns.length);
    }
  });

  it("agree where two tables have the same number", () => {
    const row = (number: number, index: number) =>
      PAPER_TABLES.find((one) => one.number === number)!.rows[index]!.values;
    const [one, two, three, four, seven] = [row(1, 0), row(2, 0), row(3, 0), row(4, 1), row(7, 3)];
    expect(two.filter((value) => value !== null)).toEqual(one);
    expect(three).toEqual(one.slice(2, 4));
    expect(four).toEqual(seven);
  });

  it("have the winning rates that whole pairs make", () => {
    // Ten k's a data set: 83 and 45 per cent are 25 of 30 and 9 of 20.
    for (const { columns, rows } of PAPER_TABLES) {
      columns.forEach(({ shows }, index) => {
        if (!("winningRateOf" in shows)) return;
        const pairs = 10 * shows.winningRateOf.length;
        for (const { values } of rows) {
          const rate = values[index] ?? null;
          if (rate !== null) expect(Math.round((100 * Math.round((rate * pairs) / 100)) / pairs)).toBe(rate);
        }
      });
    }
  });

  it("are of experiments that Table 5 has", () => {
    const titles = new Set(TABLE_5.map(({ title }) => title));
    const named = PAPER_TABLES.flatMap(({ columns }) => columns.flatMap(({ experiment }) => experiment ?? []));
    expect(named.filter((title) => !titles.has(title))).toEqual([]);
  });

  it("need two decimals and no more", () => {
    const all = PAPER_TABLES.flatMap(({ rows }) => rows.flatMap(({ values }) => values)).filter(
      (value) => value !== null,
    );
    expect(all.filter((value) => Number(value.toFixed(2)) !== value)).toEqual([]);
    expect(all.filter((value) => Number((100 * Number((value / 100).toFixed(6))).toFixed(2)) !== value)).toEqual([]);
  });
});
