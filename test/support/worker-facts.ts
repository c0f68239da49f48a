import { standingOf, type Attempt, type Training } from "../../src/core/attempt/attempt.js";

export type WorkerFacts = Pick<Training, "update" | "applied" | "recalled"> & {
  readonly grant: Training["grant"] | null;
  readonly trainable: readonly string[];
};

/** What an attempt's worker stands at and was told, in any stage: one that has not begun stands at 0 without a grant. */
export function factsOf(attempt: Attempt | null): WorkerFacts {
  const granted = attempt?.stage === "training" ? attempt : null;
  const standing = standingOf(attempt);
  return {
    update: standing?.update ?? 0,
    trainable: standing?.held.trainable ?? [],
    grant: granted?.grant ?? null,
    applied: granted?.applied ?? false,
    recalled: granted?.recalled ?? false,
  };
}
