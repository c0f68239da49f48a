import { groupsOf, type LineFigure } from "../figures/figure.js";
import { axisOf, colorBy, dashBy, extentOf, HEIGHT, isShown, scaleOf, shapeBy, WIDTH, type Spec } from "./vega-axes.js";
import { ruleLayers } from "./vega-rules.js";

/** So few that each is shown where it was measured. */
const FEW_POINTS = 60;

/** Lines with their bands, points, and rules across. */
export function linesSpec(figure: LineFigure): Spec {
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
  const hasLines = rows.some(({ draws }) => draws !== "points");
  // Where at most one condition is a line, the others are told apart by their symbols, and so is it in the legend.
  const lined = new Set(rows.filter(({ draws }) => draws !== "points").map(({ group }) => group));
  const hasSymbols = rows.some(({ draws }) => draws === "points") && lined.size <= 1 && groups.length > 1;
  const encoding = {
    x: {
      field: "x",
      type: "quantitative",
      title: x.title,
      scale: scaleOf(x, padded(xs, x.scale, hasLines && !hasSymbols)),
      axis: axisOf(x, xs),
    },
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
    color: colorBy(groups, hasSymbols ? "shape" : "stroke"),
  };
  const dash = hasSymbols ? {} : { strokeDash: dashBy(groups) };
  const style = { ...encoding, ...dash, detail: { field: "series" } };
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
          mark: {
            type: "point",
            filled: true,
            size: 45,
            opacity: 0.85,
            ...(hasLines && !hasSymbols ? { shape: "diamond" } : {}),
          },
          // Among lines the symbols of a condition have its colour, and the legend its line.
          encoding: hasSymbols ? { ...encoding, shape: shapeBy(groups) } : encoding,
        },
      ]
    : [];
  const bands = rows.some(({ low }) => low !== undefined)
    ? [
        {
          transform: [{ filter: "datum.role === 'main' && isValid(datum.low)" }],
          mark: !hasLines ? { type: "rule", strokeWidth: 1.5 } : { type: "area", opacity: 0.18 },
          encoding: {
            x: encoding.x,
            y: { ...encoding.y, field: "low" },
            y2: { field: "high" },
            color: encoding.color,
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
  };
}

/** Points in the corners of a figure of symbols would be cut by its edges. */
function padded(xs: readonly number[], scale: "linear" | "log", isOfLines: boolean): readonly number[] {
  if (isOfLines || xs.length === 0) return xs;
  const [low, high] = extentOf(xs);
  return scale === "log" ? [low / 1.1, high * 1.1] : [low - 0.04 * (high - low), high + 0.04 * (high - low)];
}
