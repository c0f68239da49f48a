import type { Provenance } from "../../src/core/provenance.js";
import type { Evaluation } from "../../src/core/state.js";

type Facts = Partial<Omit<Evaluation, "provenance"> & Provenance>;

/** An evaluation at update 60 of ten real examples. */
export function evaluationOf(split: string, values: Evaluation["values"], more: Facts = {}): Evaluation {
  const { step = 60, numExamples = 10, regenerated = false, fromJpeg = false, leftOut = null, madeWith = null } = more;
  return { step, split, values, numExamples, provenance: { regenerated, fromJpeg, leftOut, madeWith } };
}
