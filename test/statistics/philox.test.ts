import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { philox, randomIntegers, randomStream } from "../../src/statistics/philox.js";

describe("Philox", () => {
  const ones = 0xffffffff;
  // The known answers of Random123, the authors' own library.
  it.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [ones, ones, ones, ones], key: [ones, ones], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])("of $counter with $key has the words of its authors", ({ counter, key, words }) => {
    const [a, b, c, d] = counter as [number, number, number, number];
    expect(philox([a, b, c, d], key as [number, number])).toEqual(words);
  });
});

describe("a stream", () => {
  it("is the same for the same seed, and another for another", () => {
    const drawn = (seed: number) => randomIntegers(seed, 8, 0, 2 ** 31);
    expect(drawn(3)).toEqual(drawn(3));
    expect(drawn(3)).not.toEqual(drawn(4));
    expect(drawn(3 + 2 ** 32)).not.toEqual(drawn(3));
  });

  it("stays within its bounds, both of which come", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 4 }), (seed, span) => {
        const drawn = new Set(randomIntegers(seed, 200, 1, span));
        expect([...drawn].sort()).toEqual(Array.from({ length: span }, (_, index) => index + 1));
      }),
    );
  });

  it("gives each number as often as another", () => {
    const { below } = randomStream(11);
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 60_000; draw++) counts[below(6)]! += 1;
    // Chi square with five degrees of freedom is above 20.5 once in a thousand; the seed is fixed.
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(20.5);
  });
});
