import { z } from "zod";
import { randomStream } from "../statistics/philox.js";
import type { Scalar } from "./swept-run.js";

/** Values of an axis of its own; a sweep of more is a mistake of somebody's. */
export const MOST_VALUES = 1000;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: "expected a text, a number, `true`, `false` or `null`",
});
const whole = z.int();

const listed = z
  .array(scalar)
  .min(1)
  .max(MOST_VALUES)
  .refine((values) => new Set(values).size === values.length, { error: "expected values that differ" })
  .describe("Its values, one after another.");
const stepped = z
  .strictObject({ from: whole, to: whole, step: whole.min(1).default(1) })
  .refine(({ from, to }) => from <= to, { error: "expected `from` to be at most `to`" })
  .refine(({ from, to, step }) => (to - from) / step < MOST_VALUES, {
    error: `expected at most ${MOST_VALUES} values`,
  })
  .describe("Whole numbers from `from` to `to`, both included.");
const drawn = z
  .strictObject({
    random: z
      .strictObject({
        count: whole.min(1).max(MOST_VALUES),
        from: whole,
        to: whole,
        seed: whole.min(0).default(0).describe("Of the draw: another seed draws others."),
      })
      .refine(({ count, from, to }) => to - from + 1 >= count, {
        error: "expected at least `count` whole numbers between `from` and `to`",
      }),
  })
  .describe("Different whole numbers drawn uniformly from `from` to `to`, the same for all seeds and conditions.");

export const axis = z.union([listed, stepped, drawn], {
  error: "expected a list, a mapping with `from` and `to`, or a mapping with `random`",
});
export type Axis = z.output<typeof axis>;

/** The values of an axis, in the order in which they are run: as listed, or rising. */
export function valuesOf(given: Axis): readonly Scalar[] {
  if (Array.isArray(given)) return given;
  if ("random" in given) return drawIntegers(given.random);
  const count = Math.floor((given.to - given.from) / given.step) + 1;
  return Array.from({ length: count }, (_, index) => given.from + index * given.step);
}

interface Draw {
  readonly count: number;
  readonly from: number;
  readonly to: number;
  readonly seed: number;
}

/** Different integers, uniform on [from, to], rising. A function of its arguments alone, on every machine. */
function drawIntegers({ count, from, to, seed }: Draw): number[] {
  const { below } = randomStream(seed);
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(from + below(to - from + 1));
  return [...drawn].sort((a, b) => a - b);
}

/** Every combination of the axes' values, the last axis changing fastest; one empty combination where there is none. */
export function gridOf(axes: Readonly<Record<string, Axis>>): readonly Readonly<Record<string, Scalar>>[] {
  return Object.entries(axes).reduce<readonly Readonly<Record<string, Scalar>>[]>(
    (grid, [key, given]) => grid.flatMap((point) => valuesOf(given).map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
}
