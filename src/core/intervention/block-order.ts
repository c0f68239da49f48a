import type { InterventionOf } from "./kind.js";

/** The order in which blocks are unfrozen; the model names them from the top, nearest the head, down. */
export function unfreezingOrder(
  blocks: readonly { readonly name: string }[],
  order: InterventionOf<"gradual_unfreezing">["order"],
  seed: number,
): string[] {
  const names = blocks.map((block) => block.name);
  switch (order) {
    case "top_down":
      return names;
    case "bottom_up":
      return names.reverse();
    case "random":
      return shuffle(names, seed);
  }
}

/** Fisher and Yates's shuffle by whole numbers alone, so that a replay on any machine gives the same order. */
function shuffle(names: readonly string[], seed: number): string[] {
  const shuffled = [...names];
  const draw = createGenerator(seed);
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = draw() % (last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}

/** mulberry32: unsigned 32-bit numbers. The core must not use Math.random, and needs no better than this for a few blocks. */
function createGenerator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
