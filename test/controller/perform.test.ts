import { workerConfig } from "../../src/controller/worker-config.js";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BugError } from "../../src/errors.js";
import { ProtocolError } from "../../src/protocol/codec.js";
import { TransportError } from "../../src/transport/outbound-queue.js";
import { CHECKPOINT, PerformerUnderTest, SCRIPT_STATE, STATE } from "./performer-under-test.js";

const grant = { until: 5, trainable: ["head"], learning_rate_factor: 1, orders: [], probe: [] };

let performer: PerformerUnderTest;
beforeEach(() => {
  performer = new PerformerUnderTest();
});
afterEach(() => performer.dispose());

describe("messages", () => {
  it("welcome carries the configuration and where to resume from, and takes the keys off the disk", async () => {
    const bootstrapPath = await performer.launched();
    performer.perform({ type: "worker/welcome", attempt: 1, resumeFrom: CHECKPOINT });
    expect(performer.router.bodies("welcome")).toEqual([
      {
        protocol: { major: 1, minor: 0 },
        run_folder: performer.folder,
        config: workerConfig(STATE.config),
        resume_from: { path: CHECKPOINT.path, step: 7, manifest_sha256: "a" },
      },
    ]);
    await performer.close();
    expect(existsSync(bootstrapPath)).toBe(false);
  });

  it("welcome spares a script its own command", () => {
    performer.perform({ type: "worker/welcome", attempt: 1, resumeFrom: null }, SCRIPT_STATE);
    expect(performer.router.bodies("welcome")).toMatchObject([{ resume_from: null }]);
    expect(performer.router.bodies("welcome")[0]!.config).not.toHaveProperty("script");
  });

  it("grant, recall and stop go as they were ordered", () => {
    performer.perform({ type: "worker/grant", attempt: 1, body: grant });
    performer.perform({ type: "worker/recall", attempt: 1 });
    performer.perform({ type: "worker/stop", attempt: 1, body: { reason: "finished", checkpoint: true } });
    expect(performer.router.sent).toEqual([
      { kind: "grant", body: grant },
      { kind: "recall", body: {} },
      { kind: "stop", body: { reason: "finished", checkpoint: true } },
    ]);
  });

  it.each(["not_connected", "not_reading", "queue_full", "closed"] as const)(
    "that do not reach the worker (%s) are its fault, unless its exit says more within half a second",
    async (code) => {
      performer.router.refusal = new TransportError(code, "no worker is connected");
      performer.perform({ type: "worker/grant", attempt: 3, body: grant });
      await performer.clock.pass(499);
      expect(performer.events).toEqual([]);
      await performer.clock.pass(1);
      await performer.ledger.until("attempt/violated");
      const reason = "it cannot be reached: no worker is connected";
      expect(performer.events).toEqual([{ type: "attempt/violated", attempt: 3, reason }]);
      expect(performer.faults).toEqual([]);
    },
  );

  it("that break the protocol are ours", async () => {
    const cause = new ProtocolError("limit", "$.body.trainable: an array of 1025 elements (limit 1024)");
    performer.router.refusal = cause;
    performer.perform({ type: "worker/grant", attempt: 1, body: grant });
    await performer.ledger.until("fault");
    const message = `the controller's own \`grant\` breaks the protocol: ${cause.message}`;
    expect(performer.faults).toEqual([new BugError(message, { cause })]);
    await performer.clock.pass(10_000);
    expect(performer.events).toEqual([]);
  });

  it("that fail in any other way are ours as well", async () => {
    performer.router.refusal = new RangeError("Invalid string length");
    performer.perform({ type: "worker/recall", attempt: 1 });
    await performer.ledger.until("fault");
    await performer.clock.pass(10_000);
    expect([performer.faults, performer.events]).toEqual([[performer.router.refusal], []]);
  });
});

describe("checkpoint/remove", () => {
  it("removes what is stored", () => {
    for (const path of ["checkpoints/a", "checkpoints/b", "best/c"])
      mkdirSync(join(performer.folder, path), { recursive: true });
    performer.perform({ type: "checkpoint/remove", paths: ["checkpoints/a", "best/c", "checkpoints/gone"] });
    expect(readdirSync(join(performer.folder, "checkpoints"))).toEqual(["b"]);
    expect(readdirSync(join(performer.folder, "best"))).toEqual([]);
  });

  it("says so where the file system lets nothing go, and ends nothing for it", () => {
    writeFileSync(join(performer.folder, "checkpoints"), "no folder");
    performer.perform({ type: "checkpoint/remove", paths: ["checkpoints/a"] });
    expect(performer.notices).toEqual(["`checkpoints/a` is not needed any more and cannot be removed (ENOTDIR)"]);
    expect(performer.faults).toEqual([]);
  });

  it("removes nothing else, whatever the worker said that it stored", () => {
    mkdirSync(join(performer.folder, "checkpoints", "a"), { recursive: true });
    writeFileSync(join(performer.folder, "journal"), "");
    const outside = mkdtempSync(join(tmpdir(), "thawline-outside-"));
    const paths = ["journal", ".", "checkpoints", "checkpoints/../journal", "checkpoints/..", outside, `../${outside}`];
    performer.perform({ type: "checkpoint/remove", paths });
    expect(readdirSync(performer.folder).sort()).toEqual(["checkpoints", "journal"]);
    expect(readdirSync(join(performer.folder, "checkpoints"))).toEqual(["a"]);
    expect(existsSync(outside)).toBe(true);
    rmSync(outside, { recursive: true });
  });
});

it("run/finish ends the term", () => {
  performer.perform({ type: "run/finish", end: { outcome: "finished", exitCode: 0 } });
  expect(performer.ledger.lines).toEqual(["finish"]);
});
