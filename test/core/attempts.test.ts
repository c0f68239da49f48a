import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import type { Body } from "../../src/protocol/messages.js";
import { simulatedConfig, SimulatedRun } from "./simulated-run.js";

type Failed = Extract<Body<"closed">, { outcome: "failed" }>;

function training(...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig(...overrides)).until(({ frontier }) => frontier >= 20);
}

function fail(run: SimulatedRun, fault: Failed["fault"], code = "broken"): void {
  run.say("worker/closed", {
    outcome: "failed",
    step: 3,
    fault,
    code,
    message: "it broke",
    hint: "mend",
    traceback: "",
  });
  run.act({ do: "die", lost: 0 });
}

const readyAgain = {
  blocks: ["block3", "block2", "block1"].map((name) => ({ name, num_params: 10 })),
  head: { name: "head", num_params: 5 },
  num_updates: 60,
  updates_per_epoch: 60,
  learning_rates: [0.1],
  device: "cpu",
  threads: 1,
  seed: 0,
  resumed_from: 13,
  can: ["checkpoint" as const],
};

/** The second attempt, up to its welcome. */
function secondAttempt(): SimulatedRun {
  const run = training();
  run.act({ do: "die", lost: 0 });
  return run.until(({ attempt }) => attempt?.stage === "preparing");
}

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

  it("waits twice as long before each restart without progress, up to a limit", () => {
    const run = training();
    for (let death = 0; death < 8; death += 1) run.act({ do: "die", lost: 0 });
    const delays = run.ordered("worker/launch").map(({ delaySeconds }) => delaySeconds);
    expect(delays).toEqual([0, 0.5, 1, 2, 4, 8, 16, 16, 16]);
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
    run.until(({ frontier }) => frontier >= 22);
    expect(run.state).toMatchObject({ restarts: 0, furthestCheckpoint: 20 });
    for (let corrupt = 0; corrupt < 2; corrupt += 1) {
      run.act({ do: "die", lost: 0 });
      run.until(({ attempt }) => attempt?.stage === "preparing");
      fail(run, "user", "corrupt_checkpoint");
    }
    const { restarts } = run.state;
    run.until(({ checkpoints }) => checkpoints.some(({ step }) => step === 13));
    expect(run.state.restarts).toBe(restarts);
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

  it("falls back to an older checkpoint where the newest is corrupt, then to the beginning", () => {
    const run = secondAttempt();
    for (let checkpoint = 0; checkpoint < 2; checkpoint += 1) {
      fail(run, "user", "corrupt_checkpoint");
      run.until(({ attempt }) => attempt?.stage === "preparing");
    }
    const resumed = run.ordered("worker/launch").map(({ resumeFrom }) => resumeFrom?.step ?? null);
    expect(resumed).toEqual([null, 13, 6, null]);
    expect(run.finish().state.weightsSha256).toBe(training().finish().state.weightsSha256);
  });
});

describe("a later attempt", () => {
  it.each([
    ["another step", { resumed_from: 0 }, "it resumed from step 0 instead of 13"],
    ["another length", { num_updates: 61 }, "its blocks or its number of updates are not those of the attempt before"],
    ["other blocks", { blocks: [] }, "its blocks or its number of updates are not those of the attempt before"],
  ])("is ended when it comes up with %s", (_, difference, why) => {
    const run = secondAttempt();
    run.say("worker/prepared", { ...readyAgain, ...difference });
    expect(run.decided("attempt/ended").at(-1)).toMatchObject({ attempt: 2, why });
  });

  it("goes on with other hardware or software, without the promise of the same bits", () => {
    const run = training();
    run.act({ do: "die", lost: 0 });
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here", attempt: 2 };
    run.say("worker/connected", { ...hello, versions: { torch: "3.0.0", numpy: "2.4" } });
    run.say("worker/prepared", { ...readyAgain, device: "cuda", threads: 2 });
    expect(run.state.identityDropped).toEqual([
      "torch was 2.13.0 and is now 3.0.0",
      "the device was cpu and is now cuda",
      "the number of threads was 1 and is now 2",
    ]);
    expect(run.state.attempt!.stage).toBe("training");
  });

  it.each([
    ["images", simulatedConfig().model, [], ["torch"]],
    ["text", loadConfig({ source: "xquad-small", cwd: "/" }).model, ["peft was 1 and is now 2"], ["torch", "peft"]],
  ])("of a run on %s asks for the packages that it uses", (_, model, dropped, packages) => {
    const run = new SimulatedRun({ ...simulatedConfig(), model });
    const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "here" };
    run.say("worker/connected", { ...hello, attempt: 1, versions: { torch: "2", peft: "1" } });
    expect(Object.keys(run.state.software!)).toEqual(packages);
    run.act({ do: "die", lost: 0 });
    run.say("worker/connected", { ...hello, attempt: 2, versions: { torch: "2", peft: "2" } });
    expect(run.state.identityDropped).toEqual(dropped);
  });

  it("measures again where it starts, in the state that held there", () => {
    const run = secondAttempt().until(({ attempt }) => attempt?.stage === "training");
    expect(run.ordered("worker/grant").at(-1)!.body).toEqual({
      until: 14,
      trainable: ["head"],
      learning_rate_factor: 1,
      orders: [],
      probe: ["fisher_trace"],
    });
  });
});

describe("a new controller", () => {
  it("forgets pause and stop, refuses what its predecessor had accepted, and starts the next attempt", () => {
    const run = training();
    run.act({ do: "command", command: { verb: "evaluate", at: 50 } });
    run.act({ do: "command", command: { verb: "pause" } });
    run.act({ do: "work", times: 5 });
    run.act({ do: "interrupt" });
    run.act({ do: "crash", lost: 0 });
    expect(run.state).toMatchObject({
      epoch: 2,
      paused: false,
      interrupted: null,
      operatorRequests: [],
      numAttempts: 2,
    });
    expect(run.decided("operator/refused")).toEqual([
      { type: "operator/refused", id: "c1", why: "the controller that accepted it is gone" },
    ]);
  });
});
