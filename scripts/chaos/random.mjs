// Random numbers that repeat from a seed, by mulberry32.

/** A function that gives numbers in [0, 1). */
export function randomFrom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of `weights`' keys, each as often as its weight says. */
export function drawByWeight(random, weights) {
  const entries = Object.entries(weights);
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  return entries.at(-1)[0];
}

/** A whole number from `least` to `most`, both included. */
export function drawWhole(random, least, most) {
  return least + Math.floor(random() * (most - least + 1));
}
