import type { Axis, CategoryFigure, Figure, LineFigure, Rule, TimelineFigure } from "../figures/figure.js";
import { groupsOf } from "../figures/figure.js";
import { colorOf, dashOf, shapeOf, SPAN_COLORS } from "../figures/palette.js";
import { FONT_FAMILY, textWidth } from "./font.js";
import { placeLabels } from "./rule-labels.js";

/** A vega-lite specification, which is JSON; its own types take no part in how it is made. */
export type Spec = Readonly<Record<string, unknown>>;

const WIDTH = 460;
const HEIGHT = 260;
const TEXT = 11;
const LEGEND_SYMBOL = 38;
/** So few that each is shown where it was measured. */
const FEW_POINTS = 60;

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
  legend: { labelFontSize: TEXT, titleFontSize: TEXT, labelLimit: 0, symbolStrokeWidth: 2, symbolSize: 400 },
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

function linesSpec(figure: LineFigure): Spec {
  const { x, y, series, rules } = figure;
  const groups = groupsOf(figure);
  const rows = series.flatMap(({ name, group, role, draws, points }) =>
    points
      .filter((point) => isShown(point.x, x) && isShown(point.y, y))
      .map((point) => ({ series: name, group, role, draws, ...point })),
  );
  const of = (role: string, draws: string): string => `datum.role === '${role}' && datum.draws === '${draws}'`;
  const has = (role: string, draws: string): boolean => rows.some((row) => row.role === role && row.draws === draws);
  const xs = rows.map((row) => row.x).concat(rules.flatMap(({ axis, at }) => (axis === "x" ? [at] : [])));
  const encoding = {
    x: { field: "x", type: "quantitative", title: x.title, scale: scaleOf(x, xs), axis: axisOf(x, xs) },
    y: {
      field: "y",
      type: "quantitative",
      title: y.title,
      scale: { ...scaleOf(y), zero: false },
      axis: axisOf(
        y,
        rows.map((row) => row.y),
      ),
    },
    color: colorBy(groups),
  };
  const style = { ...encoding, strokeDash: dashBy(groups), detail: { field: "series" } };
  const isSparse = series.every(({ role, points }) => role === "seed" || points.length <= FEW_POINTS);
  const dotted = isSparse ? { point: { size: 20 } } : {};
  const stepped = { interpolate: "step-after" };
  const lines = [
    ...(["line", "steps"] as const)
      .filter((draws) => has("seed", draws))
      .map((draws) => ({
        transform: [{ filter: of("seed", draws) }],
        mark: { type: "line", strokeWidth: 0.8, opacity: 0.4, ...(draws === "steps" ? stepped : {}) },
        encoding: style,
      })),
    ...(["line", "steps"] as const)
      .filter((draws) => has("main", draws))
      .map((draws) => ({
        transform: [{ filter: of("main", draws) }],
        mark: { type: "line", strokeWidth: 2, ...dotted, ...(draws === "steps" ? stepped : {}) },
        encoding: style,
      })),
  ];
  const scattered = rows.some(({ draws }) => draws === "points");
  const points = scattered
    ? [
        {
          transform: [{ filter: "datum.draws === 'points'" }],
          mark: { type: "point", filled: true, size: 45, opacity: 0.85 },
          encoding: { ...encoding, shape: shapeBy(groups) },
        },
      ]
    : [];
  const bands = rows.some(({ low }) => low !== undefined)
    ? [
        {
          transform: [{ filter: "datum.role === 'main' && isValid(datum.low)" }],
          mark: scattered ? { type: "rule", strokeWidth: 1.5 } : { type: "area", opacity: 0.18 },
          encoding: {
            x: encoding.x,
            y: { ...encoding.y, field: "low" },
            y2: { field: "high" },
            color: { ...encoding.color, legend: null },
            detail: { field: "series" },
          },
        },
      ]
    : [];
  return {
    width: WIDTH,
    height: HEIGHT,
    data: { values: rows },
    layer: [...bands, ...lines, ...points, ...ruleLayers(rules, x, xs, groups)],
    resolve: { scale: { shape: "shared" } },
  };
}

/** What a logarithmic axis cannot show is left out, and so is what is no number. */
function isShown(value: number, { scale }: Axis): boolean {
  return Number.isFinite(value) && (scale === "linear" || value > 0);
}

function scaleOf({ scale }: Axis, values?: readonly number[]): Spec {
  const domain = values === undefined || values.length === 0 ? {} : { domain: extentOf(values) };
  return scale === "log"
    ? { type: "log", nice: false, ...domain }
    : { type: "linear", nice: values === undefined, zero: false, ...domain };
}

function extentOf(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low === high ? [low - 1, high + 1] : [low, high];
}

/** Powers of ten only where digits would not do. */
function axisOf({ format, scale }: Axis, values: readonly number[] = []): Spec {
  if (format === "share") return { format: "~p", tickCount: 6 };
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const isOrdinary = most === 0 || (most >= 1e-3 && most < 1e6);
  return { format: isOrdinary ? ",~r" : "~e", tickCount: scale === "log" ? 5 : 6 };
}

function legendOf(groups: readonly string[], type: "stroke" | "shape"): Spec | null {
  if (groups.length < 2) return null;
  const widest = Math.max(...groups.map((group) => textWidth(group, TEXT))) + LEGEND_SYMBOL;
  const columns = Math.max(1, Math.min(groups.length, Math.floor((WIDTH + 40) / widest)));
  const symbol = type === "stroke" ? { symbolType: "stroke" } : { symbolSize: 60 };
  return { title: null, orient: "bottom", columns, ...symbol };
}

const colorBy = (groups: readonly string[], type: "stroke" | "shape" = "stroke"): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => colorOf(index)) },
  legend: legendOf(groups, type),
});

const dashBy = (groups: readonly string[]): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => (dashOf(index).length === 0 ? [1, 0] : dashOf(index))) },
  legend: legendOf(groups, "stroke"),
});

const shapeBy = (groups: readonly string[]): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => shapeOf(index)) },
  legend: legendOf(groups, "shape"),
});

const RULE_DASHES = { decision: [1, 0], hindsight: [6, 3], limit: [2, 3], reference: [6, 3] } as const;

/** Lines across with their labels: of upright ones above the plot, of level ones at their right end. */
function ruleLayers(rules: readonly Rule[], x: Axis, xs: readonly number[], groups: readonly string[]): Spec[] {
  const [low, high] = xs.length === 0 ? [0, 1] : extentOf(xs);
  const isLog = x.scale === "log";
  const placeOf = (at: number): number =>
    (WIDTH * (isLog ? Math.log(at / low) : at - low)) / (isLog ? Math.log(high / low) : high - low);
  const colorOfRule = ({ group }: Rule): string => (group === null ? "#333333" : colorOf(groups.indexOf(group)));
  const upright = placeLabels(rules, WIDTH, placeOf, (label) => textWidth(label, TEXT)).flatMap(
    ({ rule, side, row }): Spec[] => [
      {
        data: { values: [{ at: rule.at }] },
        mark: { type: "rule", strokeWidth: 1.5, color: colorOfRule(rule), strokeDash: RULE_DASHES[rule.kind] },
        encoding: { x: { field: "at", type: "quantitative" } },
      },
      {
        data: { values: [{ at: rule.at, label: rule.label }] },
        mark: {
          type: "text",
          align: side === "right" ? "left" : "right",
          baseline: "bottom",
          dx: side === "right" ? -1 : 1,
          y: -3 - row * (TEXT + 3),
          fontSize: TEXT,
          color: colorOfRule(rule),
        },
        encoding: { x: { field: "at", type: "quantitative" }, text: { field: "label" } },
      },
    ],
  );
  const level = rules
    .filter(({ axis }) => axis === "y")
    .flatMap((rule): Spec[] => [
      {
        data: { values: [{ at: rule.at }] },
        mark: { type: "rule", strokeWidth: 1.2, color: colorOfRule(rule), strokeDash: RULE_DASHES[rule.kind] },
        encoding: { y: { field: "at", type: "quantitative" } },
      },
      {
        data: { values: [{ at: rule.at, label: rule.label }] },
        mark: {
          type: "text",
          align: "right",
          baseline: "bottom",
          dy: -2,
          x: WIDTH,
          fontSize: TEXT,
          color: colorOfRule(rule),
        },
        encoding: { y: { field: "at", type: "quantitative" }, text: { field: "label" } },
      },
    ]);
  return [...upright, ...level];
}

function categoriesSpec(figure: CategoryFigure): Spec {
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

function timelineSpec({ x, rows, rules }: TimelineFigure): Spec {
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
