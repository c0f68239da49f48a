import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { CHECKPOINT, LAUNCH, PerformerUnderTest, SCRIPT_STATE, STATE, WORKER } from "./performer-under-test.js";

let performer: PerformerUnderTest;
beforeEach(() => {
  performer = new PerformerUnderTest();
});
afterEach(() => performer.dispose());

describe("worker/launch", () => {
  it("starts the worker in the run folder, with its threads, its log and a file with its keys", async () => {
    const bootstrapPath = await performer.launched();
    expect(performer.ledger.lines).toEqual(["admit 1", "launch 1", "attempt/launched"]);
    expect(performer.events).toEqual([{ type: "attempt/launched", attempt: 1, pid: 4001, startTime: "1" }]);
    expect(performer.launcher.requests).toEqual([
      {
        ...WORKER,
        workingFolder: performer.folder,
        logPath: join(performer.folder, "worker.log"),
        bootstrapPath,
        runIdentity: "1d",
        environment: {
          OMP_NUM_THREADS: "2",
          MKL_NUM_THREADS: "2",
          OMP_WAIT_POLICY: "PASSIVE",
          CUBLAS_WORKSPACE_CONFIG: ":4096:8",
        },
      },
    ]);
    expect(statSync(bootstrapPath).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(bootstrapPath, "utf8"))).toEqual({
      endpoint: performer.router.endpoint,
      server_key: performer.router.serverPublicKey,
      public_key: "p".repeat(40),
      secret_key: "k".repeat(40),
      run: "r",
      attempt: 1,
      controller_pid: process.pid,
    });
  });

  it("leaves a script its folder and its threads", async () => {
    performer.perform(LAUNCH, SCRIPT_STATE);
    await performer.ledger.until("attempt/launched");
    expect(performer.launcher.requests).toMatchObject([{ workingFolder: "/home/me", environment: {} }]);
  });

  it("waits before a restart", async () => {
    performer.perform({ ...LAUNCH, delaySeconds: 0.5 });
    await performer.clock.pass(499);
    expect(performer.ledger.lines).toEqual([]);
    await performer.clock.pass(1);
    await performer.ledger.until("attempt/launched");
  });

  it("removes what the journal does not know before the worker can see it", async () => {
    for (const path of ["checkpoints/step-00000007", "checkpoints/step-00000014", "best/step-00000009", "best/.half"]) {
      mkdirSync(join(performer.folder, path), { recursive: true });
    }
    const best = { ...CHECKPOINT, path: "best/step-00000009" };
    performer.perform(LAUNCH, { ...STATE, weights: { ...STATE.weights, checkpoints: [CHECKPOINT], best } });
    await performer.ledger.until("launch 1");
    expect(["checkpoints", "best"].map((name) => readdirSync(join(performer.folder, name)))).toEqual([
      ["step-00000007"],
      ["step-00000009"],
    ]);
  });

  it("that the user can mend is told as such, and leaves no keys behind", async () => {
    performer.launcher.refusal = new UserError({
      code: "worker_not_started",
      message: "no `python`",
      hint: "install it",
    });
    performer.perform(LAUNCH);
    await performer.ledger.until("attempt/launchFailed");
    const told = { attempt: 1, code: "worker_not_started", message: "no `python`", hint: "install it" };
    expect(performer.events).toEqual([{ type: "attempt/launchFailed", ...told }]);
    expect(existsSync(performer.launcher.requests[0]!.bootstrapPath)).toBe(false);
  });

  it("that fails by our own fault is no event", async () => {
    performer.launcher.refusal = new TypeError("undefined is not a function");
    performer.perform(LAUNCH);
    await performer.ledger.until("fault");
    expect([performer.faults, performer.events]).toEqual([[performer.launcher.refusal], []]);
  });
});

describe("a worker's exit", () => {
  it("is told with the end of its output, once nothing of it can be heard any more", async () => {
    const bootstrapPath = await performer.launched();
    writeFileSync(join(performer.folder, "worker.log"), "early\n".repeat(50) + "late\n");
    performer.launcher.workers[0]!.exit(3);
    await performer.ledger.until("attempt/exited");
    expect(performer.ledger.since("expel 1")).toEqual(["expel 1", "attempt/exited"]);
    const tail = [...Array.from({ length: 11 }, () => "early"), "late"].join("\n");
    expect(performer.events.at(-1)).toEqual({ type: "attempt/exited", attempt: 1, exitCode: 3, signal: null, tail });
    expect(existsSync(bootstrapPath)).toBe(false);
  });

  it("waits half a second for the last words, and no longer", async () => {
    performer.awaitsLastWords = true;
    await performer.launched();
    performer.launcher.workers[0]!.exit(0);
    await performer.clock.pass(490);
    expect(performer.ledger.count("expel 1")).toBe(0);
    await performer.clock.pass(10);
    await performer.ledger.until("attempt/exited");
  });

  it("is told at once when they have come", async () => {
    performer.awaitsLastWords = true;
    await performer.launched();
    performer.launcher.workers[0]!.exit(0);
    await performer.clock.pass(50);
    performer.awaitsLastWords = false;
    await performer.clock.pass(10);
    await performer.ledger.until("attempt/exited");
  });
});

describe("worker/kill", () => {
  it("ends the process", async () => {
    await performer.launched();
    performer.perform({ type: "worker/kill", attempt: 1 });
    await performer.ledger.until("attempt/exited");
    expect(performer.events.at(-1)).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    expect(performer.ledger.count("kill 4001")).toBe(1);
  });

  it("leaves another attempt's process alone", async () => {
    await performer.launched();
    performer.perform({ type: "worker/kill", attempt: 2 });
    expect(performer.ledger.count("kill 4001")).toBe(0);
  });

  it("keeps a worker that still waits for its start from ever being started", async () => {
    performer.perform({ ...LAUNCH, delaySeconds: 10 });
    performer.perform({ type: "worker/kill", attempt: 1 });
    await performer.ledger.until("attempt/exited");
    await performer.clock.pass(60_000);
    expect(performer.ledger.lines).toEqual(["attempt/exited"]);
  });

  it("meets a worker that is just being started", async () => {
    let go!: () => void;
    performer.launcher.hold = new Promise((resolve) => (go = resolve));
    performer.perform(LAUNCH);
    await performer.ledger.until("launch 1");
    performer.perform({ type: "worker/kill", attempt: 1 });
    go();
    await performer.ledger.until("attempt/exited");
    expect(performer.ledger.lines.slice(2)).toEqual(["attempt/launched", "kill 4001", "expel 1", "attempt/exited"]);
  });
});

describe("closing", () => {
  it("ends the process and waits until it is gone", async () => {
    const bootstrapPath = await performer.launched();
    await performer.close();
    expect(performer.ledger.count("kill 4001")).toBe(1);
    expect(existsSync(bootstrapPath)).toBe(false);
  });

  it("starts nothing that still waited", async () => {
    performer.perform({ ...LAUNCH, delaySeconds: 5 });
    await performer.close();
    await performer.clock.pass(10_000);
    expect(performer.launcher.requests).toEqual([]);
  });

  it("waits for a worker that is just being started, and ends it", async () => {
    let go!: () => void;
    performer.launcher.hold = new Promise((resolve) => (go = resolve));
    performer.perform(LAUNCH);
    await performer.ledger.until("launch 1");
    const closed = performer.close();
    go();
    await closed;
    expect(performer.ledger.count("kill 4001")).toBeGreaterThan(0);
    expect(existsSync(performer.launcher.requests[0]!.bootstrapPath)).toBe(false);
  });
});
