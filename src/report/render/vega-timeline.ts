import type { TimelineFigure } from "../figures/figure.js";
import { SPAN_COLORS } from "../figures/palette.js";
import { axisOf, extentOf, WIDTH, type Spec } from "./vega-axes.js";
import { ruleLayers } from "./vega-rules.js";

/** A row each block, a bar each state. */
export function timelineSpec({ x, rows, rules }: TimelineFigure): Spec {
  const values = rows.flatMap(({ name, spans }) => spans.map((span) => ({ row: name, ...span, to: span.to + 1 })));
  const states = Object.keys(SPAN_COLORS).filter((state) => values.some((value) => value.state === state));
  const xs = values.flatMap(({ from, to }) => [from, to]);
  const domain = xs.length === 0 ? [0, 1] : extentOf(xs);
  const color = {
    field: "state",
    type: "nominal",
    scale: { domain: states, range: states.map((state) => SPAN_COLORS[state as keyof typeof SPAN_COLORS]) },
    legend: { title: null, orient: "bottom", symbolType: "square", symbolSize: 120, symbolStrokeWidth: 0.5 },
  };
  return {
    width: WIDTH,
    height: { step: 22 },
    data: { values },
    layer: [
      {
        mark: { type: "bar", height: { band: 0.7 }, stroke: "#8A929B", strokeWidth: 0.5 },
        encoding: {
          y: {
            field: "row",
            type: "nominal",
            sort: rows.map(({ name }) => name),
            title: null,
            axis: { ticks: false, domain: false, labelPadding: 6 },
          },
          x: {
            field: "from",
            type: "quantitative",
            title: x.title,
            scale: { domain, nice: false, zero: false },
            axis: { ...axisOf(x, xs), grid: false },
          },
          x2: { field: "to" },
          color,
        },
      },
      ...ruleLayers(rules, x, xs, []),
    ],
  };
}
