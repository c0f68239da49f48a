import { describe, expect, it } from "vitest";
import { loadAttachedConfig } from "../../../src/config/attached.js";
import type { Training } from "../../../src/core/attempt/attempt.js";
import type { Body } from "../../../src/protocol/messages.js";
import { composeResults } from "../../../src/reading/results.js";
import { headlineOf } from "../../../src/words/headline.js";
import { SimulatedRun, trainingOf } from "../../support/simulated-run.js";
import { factsOf } from "../../support/worker-facts.js";

function scriptRun(restart: boolean): SimulatedRun {
  const script = { command: ["python", "train.py"] as [string, ...string[]], folder: "/home/me", restart };
  const config = loadAttachedConfig({ file: null, overrides: ["intervention.k=5"], env: {}, cwd: "/", script });
  return new SimulatedRun(config, trainingOf(config, { can: [] }));
}

function exit(run: SimulatedRun, exitCode: number | null, tail = "the last words"): void {
  const { number: attempt } = run.state.attempt!;
  run.emit({ type: "attempt/exited", attempt, exitCode, signal: exitCode === null ? "SIGKILL" : null, tail });
}

const TAIL = "the end of `worker.log`:\nthe last words";
const seconds = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };

it.each([0, 1000])(
  "a script that says that it ended early after %s of its updates, where it cannot have, is killed",
  (step) => {
    const run = scriptRun(false).until(({ attempt }) => attempt?.stage === "training");
    const { until } = (run.state.attempt as Training).grant;
    const said = step === 0 ? (until ?? run.state.model!.numUpdates!) : step;
    run.say("worker/closed", { outcome: "finished", step: said, weights_sha256: "a".repeat(64), seconds, early: true });
    expect(run.state.attempt?.ended?.why).toBe(`it closed as ended early after ${said} updates, where it may not`);
  },
);

describe.each([true, false])("a script (restart %s)", (restart) => {
  it("that says that it ended early is finished, and told of", () => {
    const run = scriptRun(restart).until(({ progress, attempt }) => {
      return progress.frontier >= 5 && attempt?.stage === "training";
    });
    run.say("worker/closed", { outcome: "finished", step: 4, weights_sha256: "a".repeat(64), seconds, early: true });
    exit(run, 0);
    const announced = run.state.model!.numUpdates!;
    expect(announced).toBeGreaterThan(4);
    expect(run.state.end).toEqual({ outcome: "finished", exitCode: 0, early: { step: 4, announced } });
    const results = composeResults(run.state, 1);
    expect(results).toMatchObject({ outcome: "finished", ended: "early", updates: 4 });
    expect(results.message).toBe(`the training ended itself at update 4 of ${announced}`);
    expect(headlineOf(run.state).text).toContain(results.message);
  });

  it.each([
    [0, 2, "not_attached", "the script ended without having called `thawline.attach`"],
    [3, 1, "script_failed", "the script exited with code 3 before it called `thawline.attach`"],
    [null, 1, "script_failed", "the script was ended by SIGKILL before it called `thawline.attach`"],
  ])("that ends before it attaches (exit code %s) is not started again", (code, exitCode, name, message) => {
    const run = scriptRun(restart);
    exit(run, code);
    expect(run.state).toMatchObject({
      attempts: { launched: 1 },
      end: { outcome: "failed", exitCode, code: name, message },
    });
  });

  it("that never attaches is told of the clock and how to attach", () => {
    const run = scriptRun(restart);
    run.emit({ type: "attempt/timedOut", attempt: 1, clock: "connect", seconds: 600 });
    expect(run.state.end).toMatchObject({
      exitCode: 2,
      message: "the script did not call `thawline.attach` within 600 s",
    });
  });

  it("that fails by its own code ends the run with its last words", () => {
    const run = scriptRun(restart).until(({ progress }) => progress.frontier >= 5);
    const failed: Body<"closed"> = {
      outcome: "failed",
      step: 4,
      fault: "code",
      code: "non_finite_loss",
      message: "the loss became nan",
      hint: "lower the learning rate",
      traceback: "",
    };
    run.say("worker/closed", failed);
    exit(run, 1);
    expect(run.state.end).toMatchObject({ exitCode: 1, hint: `lower the learning rate; ${TAIL}` });
  });

  it("that fails after its training has failed, whatever it trained", () => {
    const run = scriptRun(restart).until(
      ({ attempt }) => factsOf(attempt).update === 61 && attempt?.stage === "stopping",
    );
    run.say("worker/closed", { outcome: "finished", step: 60, weights_sha256: "0".repeat(64), seconds });
    exit(run, 4);
    const message = "the training finished, but then the script exited with code 4";
    expect(run.state.end).toMatchObject({ exitCode: 1, code: "script_failed", message, hint: TAIL });
  });
});

it("a script that dies is started again only where that was asked for", () => {
  const dead = [true, false].map((restart) => {
    const run = scriptRun(restart).until(({ progress }) => progress.frontier >= 5);
    exit(run, null);
    return run;
  });
  expect(dead.map((run) => run.state.attempts.launched)).toEqual([2, 1]);
  expect(dead[1]!.state.end).toMatchObject({
    exitCode: 1,
    code: "worker_lost",
    message: "the script failed: it was ended by SIGKILL without closing, last seen at step 4",
    hint: `\`npx thawline resume\` starts the script again, and \`attach --restart\` does so by itself; ${TAIL}`,
  });
});

it("a script that is stopped has its own checkpoints to go on from", () => {
  const run = scriptRun(false).until(({ progress }) => progress.frontier >= 5);
  run.act({ do: "interrupt" });
  run.until(({ end }) => end !== null);
  expect(run.state.end).toMatchObject({
    exitCode: 130,
    message: "the run was interrupted; the script's own checkpoints count",
  });
});
