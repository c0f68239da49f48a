import type { Axis, Rule } from "../figures/figure.js";
import { colorOf } from "../figures/palette.js";
import { textWidth } from "./font.js";
import { placeLabels } from "./rule-labels.js";
import { extentOf, TEXT, WIDTH, type Spec } from "./vega-axes.js";

export const RULE_DASHES = { decision: [1, 0], hindsight: [6, 3], limit: [2, 3], reference: [6, 3] } as const;

/** Lines across with their labels: of upright ones above the plot, of level ones at their right end. */
export function ruleLayers(rules: readonly Rule[], x: Axis, xs: readonly number[], groups: readonly string[]): Spec[] {
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
