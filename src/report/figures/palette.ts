/**
 * The colours of Okabe and Ito (2008), which people with any kind of colour blindness can tell apart, without the yellow,
 * which nobody can see on white. Line styles and shapes differ too, since pages are printed in grey.
 */
export const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"] as const;

/** Lengths of dashes and gaps; an empty one is a solid line. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 3],
  [2, 2],
  [8, 3, 2, 3],
  [12, 3],
  [4, 2, 1, 2, 1, 2],
  [5, 5],
];

/** As vega calls them. */
export const SHAPES = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
] as const;

export function colorOf(index: number): string {
  return COLORS[index % COLORS.length]!;
}

/** Another one after each round of colours, so that a repeated colour has another style. */
export function dashOf(index: number): readonly number[] {
  return DASHES[(index + Math.floor(index / COLORS.length)) % DASHES.length]!;
}

export function shapeOf(index: number): (typeof SHAPES)[number] {
  return SHAPES[(index + Math.floor(index / COLORS.length)) % SHAPES.length]!;
}

export const SPAN_COLORS = { frozen: "#E6E9ED", "warming up": "#56B4E9", training: "#0072B2" } as const;
