import { groupsOf, type CategoryFigure, type Rule } from "../figures/figure.js";
import { colorOf } from "../figures/palette.js";
import { axisOf, colorBy, shapeBy, TEXT, WIDTH, type Spec } from "./vega-axes.js";
import { RULE_DASHES } from "./vega-rules.js";

/** Bars from 0, or dots with intervals, a row each category. */
export function categoriesSpec(figure: CategoryFigure): Spec {
  const { value, categories, rules, draws } = figure;
  const groups = groupsOf(figure);
  const rows = figure.groups.flatMap(({ name, values }) => values.map((one) => ({ group: name, ...one })));
  const seeds = rows.flatMap(({ group, category, seeds: all }) =>
    all.map((seed) => ({ group, category, value: seed })),
  );
  const y = {
    field: "category",
    type: "nominal",
    sort: categories,
    title: null,
    axis: { labelPadding: 6, grid: draws === "dots", ticks: false, domain: false },
  };
  const offset =
    groups.length > 1 && draws === "dots"
      ? { yOffset: { field: "group", sort: groups, scale: { paddingOuter: 0.3 } } }
      : {};
  const x = {
    field: "value",
    type: "quantitative",
    title: value.title,
    scale: { zero: draws === "bars", nice: true },
    axis: axisOf(value),
  };
  const color = groups.length > 1 ? { color: colorBy(groups, "shape"), shape: shapeBy(groups) } : {};
  const bars = { mark: { type: "bar", color: colorOf(0), height: { band: 0.62 } }, encoding: { y, x } };
  const labels = {
    // In a column of their own, where no line crosses them.
    mark: { type: "text", align: "right", x: WIDTH - 10, fontSize: TEXT, color: "#333333" },
    encoding: { y, text: { field: "value", type: "quantitative", format: value.format === "share" ? ".1%" : ".3~g" } },
  };
  const single = {
    data: { values: seeds },
    mark: { type: "point", filled: false, size: 22, strokeWidth: 1, opacity: 0.55, color: colorOf(0) },
    encoding: { y, x, ...offset, ...(groups.length > 1 ? { color: colorBy(groups, "shape") } : {}) },
  };
  const intervals = {
    transform: [{ filter: "isValid(datum.low)" }],
    mark: { type: "rule", strokeWidth: 2, color: colorOf(0) },
    encoding: {
      y,
      x: { ...x, field: "low" },
      x2: { field: "high" },
      ...offset,
      ...(groups.length > 1 ? { color: colorBy(groups, "shape") } : {}),
    },
  };
  const dots = {
    mark: { type: "point", filled: true, size: 70, opacity: 1, color: colorOf(0) },
    encoding: { y, x, ...offset, ...color },
  };
  const layers = draws === "bars" ? [bars, labels] : [...(seeds.length > 0 ? [single] : []), intervals, dots];
  const step = draws === "bars" ? 20 : Math.max(22, 11 * groups.length + 10);
  return {
    width: WIDTH - 60,
    height: { step, for: "position" },
    data: { values: rows },
    layer: [...layers, ...referenceLayers(rules, groups)],
  };
}

/** Lines to compare with, upright through all categories. */
function referenceLayers(rules: readonly Rule[], groups: readonly string[]): Spec[] {
  return rules.map((rule) => ({
    data: { values: [{ at: rule.at }] },
    mark: {
      type: "rule",
      strokeWidth: 1.2,
      strokeDash: RULE_DASHES[rule.kind],
      color: rule.group === null ? "#333333" : colorOf(groups.indexOf(rule.group)),
    },
    encoding: { x: { field: "at", type: "quantitative" } },
  }));
}
