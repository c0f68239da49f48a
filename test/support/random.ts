import { onTestFinished } from "vitest";

/** Numbers in [0, 1) for one test, by mulberry32. The seed is THAWLINE_TEST_SEED's, else a new one; it is printed. */
export function seededRandom(): () => number {
  const given = process.env["THAWLINE_TEST_SEED"];
  const seed = given === undefined ? Date.now() % 2 ** 32 : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`THAWLINE_TEST_SEED is no whole number: ${given}`);
  onTestFinished(({ task }) => console.log(`THAWLINE_TEST_SEED=${seed} repeats \`${task.name}\``));
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
