import type { Body } from "../../../src/protocol/messages.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

type Failed = Extract<Body<"closed">, { outcome: "failed" }>;

/** A run that trains, with checkpoints after updates 6 and 13. */
export function training(...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig(...overrides)).until(({ progress }) => progress.frontier >= 20);
}

/** The worker says that it failed, and is gone. */
export function fail(run: SimulatedRun, fault: Failed["fault"], code = "broken"): void {
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

/** Its second attempt, up to its welcome. */
export function secondAttempt(): SimulatedRun {
  const run = training();
  run.act({ do: "die", lost: 0 });
  return run.until(({ attempt }) => attempt?.stage === "preparing");
}
