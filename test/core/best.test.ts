import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { awaitsKeeping, awaitsRestoring, awaitsValidation, bestOf, bestToRestore } from "../../src/core/best.js";
import type { State, Validation } from "../../src/core/state.js";
import { validationSeries } from "../../src/core/scores.js";
import { simulatedTextConfig, SimulatedRun } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

const NAN = { non_finite: "nan" } as const;

function scored(step: number, score: Validation["score"]): Validation {
  return { step, score, values: { f1: score }, numExamples: 10 };
}

describe("bestOf", () => {
  it("is the highest score, the earliest of equal ones, and none where no score is a number", () => {
    expect(bestOf([scored(8, 0.25), scored(17, 0.5), scored(26, 0.5)])?.step).toBe(17);
    expect(bestOf([scored(8, NAN), scored(17, 0)])?.step).toBe(17);
    expect(bestOf([scored(8, NAN)])).toBeNull();
    expect(bestOf([])).toBeNull();
  });

  it("does not depend on the order in which the scores came in", () => {
    const score = fc.constantFrom<Validation["score"]>(0, 0.5, 1, NAN);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(50), score), { selector: ([step]) => step }),
        fc.nat(),
        (all, turn) => {
          const validations = all.map(([step, value]) => scored(step, value));
          const at = validations.length === 0 ? 0 : turn % validations.length;
          expect(bestOf([...validations.slice(at), ...validations.slice(0, at)])).toEqual(bestOf(validations));
        },
      ),
    );
  });
});

/** 60 updates, looked at every 9: a worker that has come to `update` with these scores and this best state. */
function at(update: number, scores: readonly Validation[], best: number | null, ...overrides: string[]) {
  const { state } = new SimulatedRun(simulatedTextConfig(...overrides)).until(
    ({ attempt }) => factsOf(attempt).applied,
  );
  const path = `best/step-${best}`;
  const kept = best === null ? null : { step: best, path, manifestSha256: "m", weightsSha256: "w" };
  const changed: State = {
    ...state,
    scores: { ...state.scores, validations: validationSeries(scores), best: bestOf(scores) },
    weights: { ...state.weights, best: kept },
  };
  const model = state.model!;
  return {
    state: changed,
    validate: awaitsValidation(changed, model, update),
    keep: awaitsKeeping(changed, model, update),
    restore: awaitsRestoring(changed, model, update),
  };
}

describe("what a worker is ordered for the sake of the best weights", () => {
  it("is validated before every ninth update and at the end, once", () => {
    const validated = Array.from({ length: 61 }, (_, index) => index + 1).filter(
      (update) => at(update, [], null).validate,
    );
    expect(validated).toEqual([9, 18, 27, 36, 45, 54, 61]);
    expect(at(18, [scored(17, 0.5)], null).validate).toBe(false);
  });

  it("keeps its weights where they are the best so far, once", () => {
    const scores = [scored(8, 0.25), scored(17, 0.5)];
    expect(at(18, scores, 8).keep).toBe(true);
    expect(at(18, scores, 17).keep).toBe(false);
    expect(at(18, [scored(8, 0.5), scored(17, 0.5)], 8).keep).toBe(false);
  });

  it("returns to the best at the end, unless it stands there", () => {
    const scores = [scored(8, 0.5), scored(60, 0.25)];
    expect(at(61, scores, 8)).toMatchObject({ keep: false, restore: true });
    expect(at(54, scores, 8).restore).toBe(false);
    expect(at(61, [scored(8, 0.25), scored(60, 0.5)], 8)).toMatchObject({ keep: true, restore: false });
    expect(at(61, [scored(60, 0.5)], 60).restore).toBe(false);
    expect(bestToRestore(at(61, scores, 8).state).best).toEqual({
      path: "best/step-8",
      step: 8,
      manifest_sha256: "m",
    });
    expect(bestToRestore(at(61, scores, null).state)).toEqual({});
  });

  it("is validated and nothing else where the last weights are to stay", () => {
    const scores = [scored(8, 0.5)];
    expect(at(9, [], null, "evaluate.keep=last").validate).toBe(true);
    expect(at(9, scores, null, "evaluate.keep=last")).toMatchObject({ keep: false, restore: false });
    expect(at(61, scores, null, "evaluate.keep=last").restore).toBe(false);
  });
});
