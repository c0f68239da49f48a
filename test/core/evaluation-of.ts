import type { Evaluation } from "../../src/core/state.js";

/** An evaluation at update 60 of ten real examples. */
export function evaluationOf(split: string, values: Evaluation["values"], more: Partial<Evaluation> = {}): Evaluation {
  const usual = { regenerated: false, fromJpeg: false, leftOut: null, madeWith: null };
  return { step: 60, split, values, numExamples: 10, ...usual, ...more };
}
