import type { Axis } from "../figures/figure.js";
import { colorOf, dashOf, shapeOf } from "../figures/palette.js";
import { textWidth } from "./font.js";

/** A part of a vega-lite specification, which is JSON; its own types take no part in how it is made. */
export type Spec = Readonly<Record<string, unknown>>;

/** Of the plot and of its texts, in pixels. */
export const WIDTH = 460;
export const HEIGHT = 260;
export const TEXT = 11;
const LEGEND_SYMBOL = 38;

/** What a logarithmic axis cannot show is left out, and so is what is no number. */
export function isShown(value: number, { scale }: Axis): boolean {
  return Number.isFinite(value) && (scale === "linear" || value > 0);
}

export function scaleOf({ scale }: Axis, values?: readonly number[]): Spec {
  const domain = values === undefined || values.length === 0 ? {} : { domain: extentOf(values) };
  return scale === "log"
    ? { type: "log", nice: false, ...domain }
    : { type: "linear", nice: values === undefined, zero: false, ...domain };
}

export function extentOf(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low === high ? [low - 1, high + 1] : [low, high];
}

/** Powers of ten only where digits would not do. */
export function axisOf({ format, scale }: Axis, values: readonly number[] = []): Spec {
  if (format === "share") return { format: "~p", tickCount: 6 };
  if (format === "points") return { labelExpr: "format(100 * datum.value, '~r')", tickCount: 6 };
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

export const colorBy = (groups: readonly string[], type: "stroke" | "shape" = "stroke"): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => colorOf(index)) },
  legend: legendOf(groups, type),
});

export const dashBy = (groups: readonly string[]): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => (dashOf(index).length === 0 ? [1, 0] : dashOf(index))) },
  legend: legendOf(groups, "stroke"),
});

export const shapeBy = (groups: readonly string[]): Spec => ({
  field: "group",
  type: "nominal",
  scale: { domain: groups, range: groups.map((_, index) => shapeOf(index)) },
  legend: legendOf(groups, "shape"),
});
