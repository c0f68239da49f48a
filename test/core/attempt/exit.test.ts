import { describe, expect, it } from "vitest";
import { fail, training } from "./lives.js";

describe("a death without closing", () => {
  it("is answered by the next attempt, from the newest checkpoint", () => {
    const run = training();
    run.act({ do: "die", lost: 0 });
    const resumeFrom = { step: 13, path: "checkpoints/step-00000013" };
    expect(run.ordered("worker/launch").at(-1)).toMatchObject({ attempt: 2, delaySeconds: 0.5, resumeFrom });
    expect(run.decided("attempt/ended")).toEqual([
      {
        type: "attempt/ended",
        attempt: 1,
        why: "it was ended by SIGKILL without closing, last seen at step 20",
        restart: true,
      },
    ]);
  });

  it("ends the run after max_restarts in a row", () => {
    const run = training("supervision.max_restarts=2");
    for (let death = 0; death < 3; death += 1) run.act({ do: "die", lost: 0 });
    expect(run.state.end).toEqual({
      outcome: "failed",
      exitCode: 1,
      code: "worker_lost",
      message:
        "the worker failed, after 2 restarts without a newer checkpoint: it was ended by SIGKILL without closing before training",
      hint: "the whole output is in `worker.log`",
    });
  });

  it("counts anew after a newer checkpoint, and a checkpoint written again is none", () => {
    const run = training();
    run.act({ do: "die", lost: 0 });
    run.until(({ progress }) => progress.frontier >= 22);
    expect(run.state).toMatchObject({ attempts: { restarts: 0 }, weights: { furthestCheckpoint: 20 } });
    for (let corrupt = 0; corrupt < 2; corrupt += 1) {
      run.act({ do: "die", lost: 0 });
      run.until(({ attempt }) => attempt?.stage === "preparing");
      fail(run, "user", "corrupt_checkpoint");
    }
    const { restarts } = run.state.attempts;
    run.until(({ weights: { checkpoints } }) => checkpoints.some(({ step }) => step === 13));
    expect(run.state.attempts.restarts).toBe(restarts);
  });
});

describe("a worker that says why it failed", () => {
  it.each([
    ["user", 2],
    ["code", 1],
  ] as const)("ends the run where it is the fault of the %s (exit %i)", (fault, exitCode) => {
    const run = training();
    fail(run, fault);
    expect(run.state.end).toEqual({ outcome: "failed", exitCode, code: "broken", message: "it broke", hint: "mend" });
  });

  it("is restarted where it is the environment's", () => {
    const run = training();
    fail(run, "environment");
    expect(run.decided("attempt/ended")).toEqual([
      { type: "attempt/ended", attempt: 1, why: "it broke", restart: true },
    ]);
  });
});
