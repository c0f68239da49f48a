import { describe, expect, it } from "vitest";
import { fail, secondAttempt, training } from "./lives.js";

describe("the next attempt", () => {
  it("waits twice as long before each restart without progress, up to a limit", () => {
    const run = training();
    for (let death = 0; death < 8; death += 1) run.act({ do: "die", lost: 0 });
    const delays = run.ordered("worker/launch").map(({ delaySeconds }) => delaySeconds);
    expect(delays).toEqual([0, 0.5, 1, 2, 4, 8, 16, 16, 16]);
  });

  it("falls back to an older checkpoint where the newest is corrupt, then to the beginning", () => {
    const run = secondAttempt();
    for (let checkpoint = 0; checkpoint < 2; checkpoint += 1) {
      fail(run, "user", "corrupt_checkpoint");
      run.until(({ attempt }) => attempt?.stage === "preparing");
    }
    const resumed = run.ordered("worker/launch").map(({ resumeFrom }) => resumeFrom?.step ?? null);
    expect(resumed).toEqual([null, 13, 6, null]);
    expect(run.finish().state.weights.sha256).toBe(training().finish().state.weights.sha256);
  });
});

describe("a new controller", () => {
  it("forgets pause and stop, refuses what its predecessor had accepted, and starts the next attempt", () => {
    const run = training();
    run.act({ do: "request", request: { verb: "evaluate", at: 50 } });
    run.act({ do: "request", request: { verb: "pause" } });
    run.act({ do: "work", times: 5 });
    run.act({ do: "interrupt" });
    run.act({ do: "crash", lost: 0 });
    expect(run.state).toMatchObject({
      term: 2,
      operator: { paused: false, interrupted: null, requests: [] },
      attempts: { launched: 2 },
    });
    expect(run.decided("operator/refused")).toEqual([
      { type: "operator/refused", id: "c1", why: "the controller that accepted it is gone" },
    ]);
  });
});
