import { describe, expect, it } from "vitest";
import type { LineFigure } from "../../../src/report/figures/figure.js";
import { runFigures } from "../../../src/report/figures/run-figures.js";
import { readRun } from "../../../src/report/facts/read-run.js";
import { figureCsv } from "../../../src/report/render/figure-csv.js";
import { textWidth } from "../../../src/report/render/font.js";
import { pngOf } from "../../../src/report/render/png.js";
import { drawWithVega } from "../../../src/report/render/vega.js";
import { historyRun } from "../../support/history-run.js";

const LONG = "online, tr(F), tau 3, epsilon 0.02, and a good deal more to say of it";

const figure: LineFigure = {
  kind: "lines",
  id: "two",
  title: "two",
  caption: [],
  x: { title: "update", column: "update", scale: "linear", format: "number" },
  y: { title: "value", column: "value", scale: "linear", format: "number" },
  series: [LONG, "short"].map((name, index) => ({
    name,
    group: name,
    role: "main",
    draws: "line",
    points: [1, 50, 100].map((x) => ({ x, y: x * (index + 1), low: x - 1, high: x + 1 })),
  })),
  rules: [
    { axis: "x", at: 40, label: "k online 40", group: null, kind: "decision" },
    { axis: "x", at: 41, label: "k offline 41", group: null, kind: "hindsight" },
  ],
};

const textsIn = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);

describe("a figure drawn by vega", () => {
  it("has its whole legend, its ticks and its marks", async () => {
    const { svg } = await drawWithVega(figure);
    expect(textsIn(svg)).toEqual(expect.arrayContaining([LONG, "short", "update", "value", "k online 40", "100"]));
    expect(svg).not.toContain("\u2026");
  });

  it("puts labels that would cover each other into rows of their own", async () => {
    const { svg } = await drawWithVega(figure);
    const place = (label: string): string => new RegExp(`translate\\(([^)]*)\\)[^>]*>${label}<`).exec(svg)![1]!;
    expect(place("k online 40").split(",")[1]).not.toBe(place("k offline 41").split(",")[1]);
  });

  it("tells conditions without a line apart by symbols that its legend shows", async () => {
    const point = (name: string) => ({
      ...({ name, group: name, role: "main", draws: "points" } as const),
      points: [{ x: 20, y: 30 }],
    });
    const scattered = { ...figure, series: [figure.series[0]!, point("one"), point("other")] };
    const { svg } = await drawWithVega(scattered);
    const legend = svg.slice(svg.indexOf('class="mark-group role-legend"'));
    const symbols = [...legend.matchAll(/role-legend-symbol[\s\S]*?<path[^>]* d="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(symbols).size).toBe(3);
  });

  it("has text in its picture, whatever fonts the machine has", async () => {
    const { svg } = await drawWithVega(figure);
    const without = svg.replace(/<text[\s\S]*?<\/text>/g, "");
    expect(pngOf(svg).length).toBeGreaterThan(1.2 * pngOf(without).length);
  });

  it("is made for every figure of every recorded run", async () => {
    for (const name of ["vision-online", "learning-rate-switch", "attached-script", "text", "killed-and-resumed"]) {
      for (const one of runFigures(await readRun(historyRun(name)))) {
        expect(textsIn((await drawWithVega(one)).svg).length).toBeGreaterThan(2);
        expect(figureCsv(one)).toMatch(/\n/);
      }
    }
  });
});

it("knows the widths of the font", () => {
  // From the font's own table: 1303 and 569 of 2048 units.
  expect(textWidth("0", 2048)).toBe(1303);
  expect(textWidth("il", 2048)).toBe(2 * 569);
  expect(textWidth("", 11)).toBe(0);
});
