import type { Figure } from "../figures/figure.js";
import { FONT_FAMILY } from "./font.js";
import { TEXT, type Spec } from "./vega-axes.js";
import { categoriesSpec } from "./vega-categories.js";
import { linesSpec } from "./vega-lines.js";
import { timelineSpec } from "./vega-timeline.js";

/** What vega-lite draws for a figure, with the data in it, so that it can be opened anywhere. */
export function vegaSpec(figure: Figure): Spec {
  const body = bodyOf(figure);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: [figure.title, ...figure.caption].join(". "),
    background: "white",
    padding: 8,
    config: CONFIG,
    ...body,
  };
}

const CONFIG = {
  font: FONT_FAMILY,
  view: { stroke: null },
  axis: {
    labelFontSize: TEXT,
    titleFontSize: TEXT + 1,
    titleFontWeight: "normal",
    labelLimit: 0,
    titleLimit: 0,
    gridColor: "#E6E6E6",
    domainColor: "#555555",
    tickColor: "#555555",
    titlePadding: 8,
  },
  // Without a limit no label is cut; strokes, since a band and a dash in one symbol are drawn as a blob.
  legend: {
    labelFontSize: TEXT,
    titleFontSize: TEXT,
    labelLimit: 0,
    symbolStrokeWidth: 2,
    symbolOpacity: 1,
    symbolSize: 400,
  },
};

function bodyOf(figure: Figure): Spec {
  switch (figure.kind) {
    case "lines":
      return linesSpec(figure);
    case "categories":
      return categoriesSpec(figure);
    case "timeline":
      return timelineSpec(figure);
  }
}
