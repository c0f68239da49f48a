import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Series } from "../../src/core/series.js";

interface Item {
  readonly key: number;
  readonly word: string;
}

const keyOf = ({ key }: Item): number => key;

/** What a series promises, with nothing shared: the first item under a key stands. */
function appended(items: readonly Item[], item: Item): readonly Item[] {
  return items.some(({ key }) => key === item.key) ? items : [...items, item];
}

describe("a series", () => {
  it("is what a plain list would be, in every state that it was ever in, whichever is appended to", () => {
    const item = fc.record({ key: fc.nat(12), word: fc.string({ maxLength: 2 }) });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), from: fc.nat(), item }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("take" as const), from: fc.nat(), length: fc.nat(12) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("where" as const), from: fc.nat(), least: fc.nat(12) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const states: { series: Series<Item>; plain: readonly Item[] }[] = [
          { series: Series.of<Item>([], keyOf), plain: [] },
        ];
        for (const next of steps) {
          // Mostly the newest one, as in a run; often an older one, which forks.
          const { series, plain } = states[next.from % 3 === 0 ? next.from % states.length : states.length - 1]!;
          if (next.do === "append") {
            states.push({ series: series.append(next.item), plain: appended(plain, next.item) });
          } else if (next.do === "take") {
            states.push({ series: series.take(next.length), plain: plain.slice(0, next.length) });
          } else {
            const isKept = ({ key }: Item): boolean => key >= next.least;
            states.push({ series: series.where(isKept), plain: plain.filter(isKept) });
          }
        }
        for (const { series, plain } of states) {
          expect([...series]).toEqual(plain);
          expect(series.length).toBe(plain.length);
          expect(JSON.parse(JSON.stringify(series))).toEqual(plain);
          expect(series.map(({ word }) => word)).toEqual(plain.map(({ word }) => word));
          const keys = Array.from({ length: 13 }, (_, key) => key);
          expect(keys.map((key) => series.get(key))).toEqual(keys.map((key) => plain.find((one) => one.key === key)));
          expect(keys.filter((key) => series.has(key))).toEqual(plain.map(keyOf).sort((a, b) => a - b));
          const indices = Array.from({ length: 29 }, (_, index) => index - 14);
          const cuts = (of: Pick<readonly Item[], "at" | "slice">): unknown =>
            indices.map((index) => [of.at(index), of.slice(index), of.slice(index, index + 3)]);
          expect(cuts(series)).toEqual(cuts(plain));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("takes items that are alike where it has no key", () => {
    expect([...Series.of([1, 1, 2]).append(2)]).toEqual([1, 1, 2, 2]);
  });

  it("knows what was made of it by appending", () => {
    const short = Series.of([1, 2]);
    const long = short.append(3).append(4);
    expect(long.continues(short)).toBe(true);
    expect(long.take(2).continues(short)).toBe(true);
    expect(short.continues(long)).toBe(false);
    const fork = short.append(5);
    expect(fork.continues(long)).toBe(false);
    expect(fork.continues(Series.of([1, 2]))).toBe(false);
    expect(fork.continues(Series.of<number>([]))).toBe(true);
  });

  it("hands its items on without a copy as long as the newest grows, and copies once for a fork", () => {
    let reads = 0;
    const counted = (key: number): Item => ({
      get key() {
        reads += 1;
        return key;
      },
      word: "",
    });
    let series = Series.of<Item>([], keyOf);
    for (let key = 0; key < 1000; key += 1) series = series.append(counted(key));
    // One look for what is known, one to note it: the items before it are not visited.
    expect(reads).toBe(2000);
    const fork = series.take(500).append(counted(-1));
    expect(reads).toBe(2002);
    expect([fork.length, series.length, fork.has(700), series.has(700)]).toEqual([501, 1000, false, true]);
  });
});
