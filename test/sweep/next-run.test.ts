import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder, type Share, type Waiting } from "../../src/sweep/next-run.js";
import { planned } from "./sweep-file.js";

const PLAN = await planned(`
base: quickstart
set: { train.updates: 600 }
conditions:
  standard: { set: { intervention.kind: none } }
  fixed: { axes: { intervention.k: [7, 100] } }
  online: {}
seeds: 2
`);
const ALL: readonly Waiting[] = PLAN.runs.map((run, position) => ({ run, position }));
const names = (waiting: readonly Waiting[]): string[] =>
  waiting.map(({ run: { condition, seed, axes } }) => `${condition}${String(axes["intervention.k"] ?? "")} ${seed}`);

describe("the order of runs", () => {
  it("is by seed, those that look for k first; what may turn out equal waits until the end", () => {
    expect(names(inOrder(ALL, PLAN.runs))).toEqual([
      "online 0",
      "standard 0",
      "fixed7 0",
      "online 1",
      "standard 1",
      "fixed7 1",
      "fixed100 0",
      "fixed100 1",
    ]);
  });

  it("lets nothing wait for an online run that has finished", () => {
    const unfinished = PLAN.runs.filter(({ condition }) => condition !== "online");
    const waiting = ALL.filter(({ run }) => run.condition !== "online");
    expect(names(inOrder(waiting, unfinished))).toEqual([
      "standard 0",
      "fixed7 0",
      "fixed100 0",
      "standard 1",
      "fixed7 1",
      "fixed100 1",
    ]);
  });

  it("gives the tasks of a sweep shares that are everything together, and to each also what is left", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), (count) => {
        const first = Array.from({ length: count }, (_, index): Share => ({ index: index + 1, count })).map((share) =>
          inOrder(ALL, [], share),
        );
        for (const order of first) expect(new Set(names(order))).toEqual(new Set(names(ALL)));
        const own = first.flatMap((order, index) => order.filter(({ position }) => position % count === index));
        expect(own).toHaveLength(ALL.length);
        first.forEach((order, index) => {
          const head = order.slice(0, order.filter(({ position }) => position % count === index).length);
          expect(head.every(({ position }) => position % count === index)).toBe(true);
        });
      }),
    );
  });
});
