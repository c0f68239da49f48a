import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unfreezingOrder } from "../../../src/core/intervention/block-order.js";

describe("the order of unfreezing", () => {
  const blocks = Array.from({ length: 12 }, (_, index) => ({ name: `b${12 - index}`, numParams: 10 }));

  it("at random is a permutation, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const order = unfreezingOrder(blocks, "random", seed);
        expect([...order].sort()).toEqual(blocks.map(({ name }) => name).sort());
        expect(unfreezingOrder(blocks, "random", seed)).toEqual(order);
      }),
    );
  });

  it("at random gives every block every place, about as often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 1200; seed += 1) {
      const first = unfreezingOrder(blocks, "random", seed)[0]!;
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    // 100 expected each, standard deviation 10.
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(50);
    expect(counts.size).toBe(12);
  });
});
