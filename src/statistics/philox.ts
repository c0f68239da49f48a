/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four random words from a counter
 * and a key, without a state, so that the same seed gives the same numbers everywhere.
 */
type Words = readonly [number, number, number, number];
type Key = readonly [number, number];

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
/** The golden ratio and the square root of three less one. */
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;

/** Four words of 32 bits. */
export function philox([c0, c1, c2, c3]: Words, [k0, k1]: Key): Words {
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(MULTIPLIERS[0], c0);
    const [high1, low1] = multiply(MULTIPLIERS[1], c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    [k0, k1] = [(k0 + WEYL[0]) >>> 0, (k1 + WEYL[1]) >>> 0];
  }
  return [c0, c1, c2, c3];
}

/** The 64 bits of a product, as two words. */
function multiply(a: number, b: number): readonly [high: number, low: number] {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const first = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (first & 0xffff);
  return [(aHigh * bHigh + (first >>> 16) + (second >>> 16)) >>> 0, Math.imul(a, b) >>> 0];
}

/** Random numbers one after the other. */
export interface RandomStream {
  /** A whole number from 0 to `bound` - 1, each as likely; `bound` is at most 2^32. */
  readonly below: (bound: number) => number;
}

/** The stream of a seed, a whole number from 0 to 2^53 - 1. */
export function randomStream(seed: number): RandomStream {
  const key: Key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  let counter = 0;
  let words: number[] = [];
  const next = (): number => {
    if (words.length === 0) {
      words = [...philox([counter >>> 0, Math.floor(counter / 2 ** 32), 0, 0], key)];
      counter += 1;
    }
    return words.shift()!;
  };
  const below = (bound: number): number => {
    // Words past the last whole multiple of the bound would favour small numbers.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word = next();
    while (word >= limit) word = next();
    return word % bound;
  };
  return { below };
}

/** `count` whole numbers from `from` to `to`, each drawn by itself, so that one may come twice. */
export function randomIntegers(seed: number, count: number, from: number, to: number): number[] {
  const { below } = randomStream(seed);
  return Array.from({ length: count }, () => from + below(to - from + 1));
}
