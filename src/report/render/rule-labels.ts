import type { Rule } from "../figures/figure.js";

export interface PlacedLabel {
  readonly rule: Rule;
  /** Pixels from the left edge of the plot to the line. */
  readonly x: number;
  /** On which side of its line the text stands. */
  readonly side: "left" | "right";
  /** Rows above the plot, from 0. */
  readonly row: number;
}

const GAP = 4;

/**
 * Where the labels of upright lines stand, above a plot of `width` pixels, so that none covers another or sticks out.
 *
 * @param placeOf pixels from the left edge of the plot
 * @param widthOf of a label, in pixels
 */
export function placeLabels(
  rules: readonly Rule[],
  width: number,
  placeOf: (at: number) => number,
  widthOf: (label: string) => number,
): PlacedLabel[] {
  const rows: number[] = [];
  const upright = rules.filter(({ axis }) => axis === "x").sort((a, b) => a.at - b.at);
  return upright.map((rule) => {
    const x = placeOf(rule.at);
    const room = widthOf(rule.label) + GAP;
    const side = x + room <= width || x < room ? "right" : "left";
    const from = side === "right" ? x : x - room;
    // A label also keeps clear of the line of its neighbour, which runs through all rows above the plot.
    const row = rows.findIndex((taken) => taken <= from);
    const chosen = row === -1 ? rows.length : row;
    rows[chosen] = from + room + GAP;
    return { rule, x, side, row: chosen };
  });
}
