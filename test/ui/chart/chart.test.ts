import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawChart, type ChartInput } from "../../../src/ui/chart/chart.js";

const BASE: ChartInput = {
  columns: 40,
  rows: 9,
  unicode: true,
  logarithmic: false,
  xLow: 0,
  xHigh: 100,
  series: [],
  marks: [],
  gaps: [],
  empty: "no point yet",
};

function textOf(input: Partial<ChartInput>): string[] {
  return drawChart({ ...BASE, ...input }).lines.map((segments) => segments.map(({ text }) => text).join(""));
}

const slope = Array.from({ length: 11 }, (_, index) => ({ x: index * 10, y: index * index }));

describe("drawChart", () => {
  it("draws a curve, its axes and a labelled mark", () => {
    const marks = [{ x: 60, label: "k = 60", role: "mark" } as const];
    const lines = textOf({ series: [{ points: slope, role: "average", join: true }], marks });
    expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
      "
       100┤                    ┃           ⢀⠔⠊
          │                    ┃        ⢀⠤⠊⠁  
          │                    ┃     ⢀⡠⠒⠁     
        50┤                    ┃ ⢀⡠⠔⠊⠁        
          │                  ⢀⡠⠔⠊⠁            
          │             ⢀⣀⠤⠒⠉⠁ ┃              
         0┤⣀⣀⣀⣀⣀⡠⠤⠤⠤⠒⠒⠊⠉⠁      ┃              
          └────────────────────┴──────────────
           0                k = 60         100
      "
    `);
  });

  it("draws the same in ASCII", () => {
    const lines = textOf({ unicode: false, series: [{ points: slope, role: "average", join: true }], gaps: [50] });
    expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
      "
       100+                                 **
          |                              ***  
          |                          ****     
        50+                       ***         
          |                   ****            
          |         **********                
         0+*********                          
          +-----------------x-----------------
           0               50              100
      "
    `);
  });

  it("says so where there is no point", () => {
    expect(textOf({}).join("\n")).toContain("no point yet");
  });

  it("names the scale it used: a logarithm cannot take what is not positive", () => {
    const scaleOf = (low: number): string =>
      drawChart({
        ...BASE,
        logarithmic: true,
        series: [
          {
            points: [
              { x: 1, y: low },
              { x: 2, y: 5 },
            ],
            role: "raw",
            join: false,
          },
        ],
      }).scale;
    expect([scaleOf(0.1), scaleOf(0), scaleOf(-3)]).toEqual(["log", "symlog", "symlog"]);
  });

  it("makes exactly the rows and columns asked for, of any numbers", () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 5e-324, 1.7e308, -1.7e308));
    const points = fc.array(fc.record({ x: fc.integer({ min: -5, max: 120 }), y: number }), { maxLength: 30 });
    const input = fc.record({
      columns: fc.integer({ min: 12, max: 160 }),
      rows: fc.integer({ min: 3, max: 40 }),
      unicode: fc.boolean(),
      logarithmic: fc.boolean(),
      xHigh: fc.integer({ min: 0, max: 200 }),
      gaps: fc.array(fc.integer({ min: -5, max: 300 }), { maxLength: 4 }),
      series: fc.array(fc.record({ points, role: fc.constantFrom("raw", "average"), join: fc.boolean() }), {
        maxLength: 3,
      }),
      marks: fc.array(
        fc.record({
          x: fc.integer({ min: -5, max: 300 }),
          label: fc.constantFrom("k = 120", "", "k_max 200"),
          role: fc.constantFrom("mark", "limit"),
        }),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(input, (changes) => {
        const lines = textOf(changes);
        expect(lines).toHaveLength(changes.rows);
        for (const line of lines) expect(Array.from(line)).toHaveLength(changes.columns);
      }),
    );
  });
});
