import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellAt, createCanvas, plotDot, plotLine, type Canvas } from "../../../src/ui/chart/braille.js";

function dotsOf(canvas: Canvas): number {
  return canvas.bits.reduce((sum, bits) => sum + bits.toString(2).replaceAll("0", "").length, 0);
}

describe("canvas", () => {
  it("numbers the dots of a character as Unicode does", () => {
    const corners = [
      [0, 0, "⠁"],
      [1, 0, "⠈"],
      [0, 3, "⡀"],
      [1, 3, "⢀"],
    ] as const;
    for (const [x, y, glyph] of corners) {
      const canvas = createCanvas(1, 1, true);
      plotDot(canvas, x, y, "raw");
      expect(cellAt(canvas, 0, 0)).toEqual({ text: glyph, role: "raw" });
    }
  });

  it("gives a character the meaning of what was drawn last", () => {
    const canvas = createCanvas(1, 1, true);
    plotDot(canvas, 0, 0, "raw");
    plotDot(canvas, 1, 3, "average");
    expect(cellAt(canvas, 0, 0)).toEqual({ text: "⢁", role: "average" });
  });

  it("sets one dot for each one inside, none for one outside", () => {
    const coordinate = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(coordinate, coordinate, fc.boolean(), (x, y, braille) => {
        const canvas = createCanvas(10, 5, braille);
        plotDot(canvas, x, y, "raw");
        const inside = x >= 0 && y >= 0 && x < canvas.width && y < canvas.height;
        expect(dotsOf(canvas)).toBe(inside ? 1 : 0);
      }),
    );
  });

  it("draws a line from end to end without a hole", () => {
    const point = fc.tuple(fc.nat(19), fc.nat(19));
    fc.assert(
      fc.property(point, point, (from, to) => {
        const canvas = createCanvas(10, 5, true);
        plotLine(canvas, from, to, "average");
        expect(dotsOf(canvas)).toBe(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])) + 1);
        const before = dotsOf(canvas);
        plotDot(canvas, ...from, "average");
        plotDot(canvas, ...to, "average");
        expect(dotsOf(canvas)).toBe(before);
      }),
    );
  });
});
