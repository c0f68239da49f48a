import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  neglectedOrder,
  recordCheckpoint,
  recordEvaluation,
  recordKept,
  recordValidation,
} from "../../src/core/order-results.js";
import type { Training } from "../../src/core/attempt/attempt.js";
import type { State } from "../../src/core/state.js";
import type { Body, Order } from "../../src/protocol/messages.js";
import { NO_SCORES } from "../../src/core/scores.js";
import { simulatedTextConfig, SimulatedRun } from "../support/simulated-run.js";
import { factsOf } from "../support/worker-facts.js";

const SHA = "0123456789abcdef".repeat(4);

/** A run whose worker stands before update 9, with these orders still to be carried out. */
function standing(orders: readonly Order[], overrides: readonly string[] = []): { state: State; attempt: Training } {
  const run = new SimulatedRun(simulatedTextConfig(...overrides)).until(({ attempt }) => factsOf(attempt).applied);
  const { attempt } = run.state;
  if (attempt?.stage !== "training") throw new Error("the worker is not training");
  const standingAt: Training = { ...attempt, update: 9, grant: { ...attempt.grant, orders: [...orders] } };
  return {
    state: {
      ...run.state,
      attempt: standingAt,
      scores: NO_SCORES,
      weights: { ...run.state.weights, checkpoints: [], best: null },
    },
    attempt: standingAt,
  };
}

function saved(step: number, folder = "checkpoints"): Body<"checkpointed"> & Body<"kept"> {
  return { step, path: `${folder}/step-${step}`, manifest_sha256: SHA, weights_sha256: SHA };
}

function evaluated(step: number, values: Body<"evaluated">["values"]): Body<"evaluated"> {
  return { step, split: "development", values, num_examples: 5, regenerated: false };
}

describe("an evaluation", () => {
  it("of a step and a split is recorded once: the first result stands", () => {
    const { state } = standing([]);
    const first = recordEvaluation(state, evaluated(8, { f1: 0.5 }));
    expect(first.scores.evaluations.at(-1)).toMatchObject({ step: 8, values: { f1: 0.5 } });
    expect(recordEvaluation(first, evaluated(8, { f1: 0.75 }))).toBe(first);
    expect(recordEvaluation(first, evaluated(9, { f1: 0.75 })).scores.evaluations).toHaveLength(
      first.scores.evaluations.length + 1,
    );
  });
});

describe("a validation", () => {
  it("counts by its first value", () => {
    const { state, attempt } = standing(["validate"]);
    const after = recordValidation(state, attempt, evaluated(8, { f1: 0.5, exact_match: 0.25 })).state;
    expect([...after.scores.validations]).toMatchObject([{ step: 8, score: 0.5 }]);
    expect(recordValidation(after, attempt, evaluated(8, { f1: 1 })).state).toBe(after);
  });

  it.each([
    ["that nobody asked for", [], evaluated(8, { f1: 1 }), "validated step 8 when nobody asked"],
    ["of another step", ["validate"], evaluated(7, { f1: 1 }), "validated step 7 when nobody asked"],
    ["without a score", ["validate"], evaluated(8, {}), "validated step 8 without a score"],
  ] as const)("%s ends the attempt", (_, orders, body, why) => {
    const { state, attempt } = standing(orders);
    const { state: after, commands } = recordValidation(state, attempt, body);
    expect(after.scores.validations).toHaveLength(0);
    expect(after.attempt!.ended?.why).toBe(`it ${why}`);
    expect(commands).toEqual([{ type: "worker/kill", attempt: attempt.number }]);
  });
});

describe("a checkpoint", () => {
  it("lets the oldest ones go, and what is kept is the newest", () => {
    const steps = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 2, 3), (written, keep) => {
        let { state } = standing([], [`checkpoint.keep=${keep}`]);
        const disk = new Set<string>();
        for (const step of written) {
          disk.add(saved(step).path);
          const { state: next, commands } = recordCheckpoint(state, saved(step));
          for (const command of commands) {
            if (command.type === "checkpoint/remove") for (const path of command.paths) disk.delete(path);
          }
          state = next;
          expect([...disk].sort()).toEqual(state.weights.checkpoints.map(({ path }) => path).sort());
        }
        expect(state.weights.checkpoints.map(({ step }) => step)).toEqual(written.sort((a, b) => a - b).slice(-keep));
        expect(state.weights.furthestCheckpoint).toBe(Math.max(...written));
      }),
      { numRuns: 20 },
    );
  });

  it("that is newer than all before is progress: restarts are counted anew", () => {
    const { state } = standing([]);
    const tired: State = {
      ...state,
      attempts: { ...state.attempts, restarts: 3 },
      weights: { ...state.weights, furthestCheckpoint: 10 },
    };
    expect(recordCheckpoint(tired, saved(10)).state.attempts.restarts).toBe(3);
    expect(recordCheckpoint(tired, saved(11)).state.attempts.restarts).toBe(0);
  });
});

describe("the best weights", () => {
  it("let those before them go, now that the journal knows them", () => {
    const { state, attempt } = standing(["keep_best"]);
    const first = recordKept(state, attempt, saved(8, "best"));
    expect(first.commands).toEqual([]);
    const later: Training = { ...attempt, update: 18 };
    const second = recordKept(first.state, later, saved(17, "best"));
    expect(second.state.weights.best).toMatchObject({ step: 17, path: "best/step-17" });
    expect(second.commands).toEqual([{ type: "checkpoint/remove", paths: ["best/step-8"] }]);
    expect(recordKept(second.state, later, saved(17, "best")).commands).toEqual([]);
  });

  it("that nobody asked to keep end the attempt", () => {
    const { state, attempt } = standing(["validate"]);
    const { state: after, commands } = recordKept(state, attempt, saved(8, "best"));
    expect(after.weights.best).toBeNull();
    expect(after.attempt!.ended?.why).toBe("it kept the weights of step 8 when nobody asked");
    expect(commands).toEqual([{ type: "worker/kill", attempt: attempt.number }]);
  });
});

describe("neglectedOrder", () => {
  it("names the first order that an applied grant was to carry out and did not", () => {
    const { state, attempt } = standing(["validate", "keep_best", "checkpoint"]);
    const neglected = (now: State) => neglectedOrder(now, attempt, attempt.grant);
    expect(neglected(state)).toBe("it did not write the checkpoint that was ordered before update 9");
    const written = recordCheckpoint(state, saved(8)).state;
    expect(neglected(written)).toBe("it did not validate before update 9");
    const validated = recordValidation(written, attempt, evaluated(8, { f1: 1 })).state;
    expect(neglected(validated)).toBe("it did not keep the weights that are the best before update 9");
    expect(neglected(recordKept(validated, attempt, saved(8, "best")).state)).toBeNull();
  });
});
