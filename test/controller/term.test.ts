import { afterEach, describe, expect, it } from "vitest";
import type { Command } from "../../src/core/commands.js";
import type { Event } from "../../src/core/events.js";
import { BugError, ExternalError, UserError } from "../../src/errors.js";
import { replayJournal } from "../../src/journal/replay.js";
import { ProtocolError } from "../../src/protocol/codec.js";
import { TransportError } from "../../src/transport/outbound-queue.js";
import { simulatedConfig } from "../support/simulated-run.js";
import { TermUnderTest } from "./term-under-test.js";

/** Nothing is measured, so that a boundary is a change or an order. */
const FIXED = simulatedConfig("intervention.k=3", "checkpoint.every=1000");

let term: TermUnderTest;
afterEach(() => term.dispose());

function lastEvent(): Event {
  return term.journal.records.at(-1)!.event;
}

/** What the last records ordered. */
function lastCommands(count: number): readonly Command[] {
  return term.journal.records.slice(-count).flatMap(({ commands = [] }) => commands);
}

describe("a record is in the journal before its command is carried out:", () => {
  it("worker/launch, worker/welcome and the first worker/grant", async () => {
    term = await new TermUnderTest(FIXED).prepared();
    expect(term.ledger.lines).toEqual([
      "journal run/created",
      "journal controller/started",
      "admit 1",
      "launch 1",
      "journal attempt/launched",
      "journal worker/connected",
      "send welcome",
      "journal worker/prepared, on the disk",
      "send grant",
      "journal worker/applied",
    ]);
  });

  it("worker/grant, on the disk where it changes what trains", async () => {
    term = await new TermUnderTest(FIXED).training();
    term.reach();
    expect(term.grant.trainable).toEqual(["head", "block3"]);
    expect(term.ledger.lines.slice(-2)).toEqual(["journal worker/reachedBoundary, on the disk", "send grant"]);
  });

  it("worker/grant with the order of a checkpoint, on the disk", async () => {
    const apart = simulatedConfig("intervention.k=10", "checkpoint.every=5");
    term = await new TermUnderTest(apart).training();
    while (term.grant.orders.length === 0) term.reach();
    expect(term.grant).toMatchObject({ trainable: ["head"], orders: ["checkpoint"] });
    expect(term.ledger.lines.slice(-2)).toEqual(["journal worker/reachedBoundary, on the disk", "send grant"]);
  });

  it("worker/recall, worker/stop and run/finish", async () => {
    term = await new TermUnderTest(FIXED).training({ can: [] });
    term.interrupt("SIGINT");
    term.reach(2, true);
    term.leave("stopped", 1);
    const state = await term.ended;
    expect(term.ledger.since("journal controller/interrupted")).toEqual([
      "journal controller/interrupted",
      "send recall",
      "journal worker/reachedBoundary",
      "send stop",
      "journal worker/closed",
      "expel 1",
      "journal attempt/exited, on the disk",
      "kill 4001",
      "close the router",
    ]);
    expect(state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
  });

  it("worker/kill, and the worker/launch of the next attempt after its delay", async () => {
    term = await new TermUnderTest(FIXED).training();
    term.router.hear({ type: "violation", reason: "$.seq: 5 after 1" });
    expect(term.ledger.lines.slice(-2)).toEqual(["journal attempt/violated", "kill 4001"]);
    await term.ledger.until("journal attempt/exited");
    const { attempt, commands } = { attempt: term.state!.attempt!, commands: term.journal.records.at(-1)!.commands! };
    expect(attempt).toMatchObject({ number: 2, stage: "launching" });
    expect(commands).toMatchObject([{ type: "worker/launch", attempt: 2, delaySeconds: 0.5 }]);
    expect(term.ledger.count("launch 2")).toBe(0);
    await term.clock.pass(500);
    await term.ledger.until("launch 2");
  });

  it("checkpoint/remove, on the disk", async () => {
    const often = simulatedConfig("intervention.k=50", "checkpoint.every=5", "checkpoint.keep=1");
    term = await new TermUnderTest(often).training();
    const removes = (): boolean => lastCommands(2).some(({ type }) => type === "checkpoint/remove");
    while (!removes()) {
      term.reach();
      term.carryOut();
    }
    expect(term.ledger.lines.slice(-2)).toEqual(["journal worker/checkpointed, on the disk", "journal worker/applied"]);
  });
});

describe("facts come from", () => {
  it("a worker that another version of the protocol speaks", async () => {
    term = new TermUnderTest(FIXED);
    await term.ledger.until("journal attempt/launched");
    term.router.hear({ type: "incompatible", theirs: { major: 7, minor: 3 }, reason: "" });
    expect(lastEvent()).toEqual({ type: "attempt/incompatible", attempt: 1, theirs: "7.3", ours: "1.0" });
    expect(await term.ended).toMatchObject({ end: { exitCode: 2, code: "incompatible_protocol" } });
  });

  it("a launcher that cannot start the worker", async () => {
    term = new TermUnderTest(FIXED);
    term.launcher.refusal = new UserError({ code: "worker_not_started", message: "no `python`", hint: "install it" });
    expect(await term.ended).toMatchObject({ end: { exitCode: 2, code: "worker_not_started", hint: "install it" } });
    expect(term.ledger.lines.slice(-2)).toEqual(["journal attempt/launchFailed, on the disk", "close the router"]);
  });

  it("a worker that cannot be reached", async () => {
    term = await new TermUnderTest(FIXED).training();
    term.router.refusal = new TransportError("queue_full", "256 messages to the worker wait already");
    term.reach();
    await term.clock.pass(500);
    await term.ledger.until("journal attempt/violated");
    const reason = "it cannot be reached: 256 messages to the worker wait already";
    expect(term.journal.records.map(({ event }) => event)).toContainEqual({
      type: "attempt/violated",
      attempt: 1,
      reason,
    });
  });

  it.each([
    ["connect", "supervision.connect_seconds", (one: TermUnderTest) => one.ledger.until("journal attempt/launched")],
    ["ready", "supervision.ready_seconds", (one: TermUnderTest) => one.welcomed()],
    ["progress", "supervision.progress_seconds", (one: TermUnderTest) => one.training()],
  ] as const)("the clock of %s", async (clock, key, reach) => {
    term = new TermUnderTest(simulatedConfig(`${key}=20`, "supervision.progress_warn_seconds=5"));
    await reach(term);
    await term.clock.pass(19_900);
    expect(term.ledger.count("journal attempt/timedOut")).toBe(0);
    await term.clock.pass(300);
    const timedOut = { type: "attempt/timedOut", attempt: 1, clock, seconds: 20 };
    expect(term.journal.records.map(({ event }) => event)).toContainEqual(timedOut);
    expect(term.ledger.since("journal attempt/timedOut")[1]).toBe("kill 4001");
  });

  it("a line that has fallen silent, which ends nothing", async () => {
    term = await new TermUnderTest(simulatedConfig("supervision.link_silent_seconds=4")).training();
    term.router.heardAt = term.clock.now();
    await term.clock.pass(4200);
    expect(lastEvent()).toMatchObject({ type: "attempt/quiet", what: "link" });
    expect(term.ledger.lines.at(-1)).toBe("journal attempt/quiet");
  });

  it("progress, once a second; what lies between moves the clock all the same", async () => {
    term = await new TermUnderTest(simulatedConfig("supervision.progress_seconds=2")).training();
    const said = { step: 0, loss: 1, samples_per_second: 1, phase: "train", detail: "" } as const;
    for (let tenth = 0; tenth < 50; tenth += 1) {
      term.router.say("progress", said);
      await term.clock.pass(100);
    }
    expect(term.ledger.count("journal worker/progressed")).toBe(5);
    expect(term.ledger.count("journal attempt/timedOut")).toBe(0);
  });

  it("strangers, told to the operator and nowhere else", async () => {
    term = await new TermUnderTest(FIXED).welcomed();
    const before = term.journal.records.length;
    term.router.hear({ type: "dropped", reason: "a message from a peer", suppressed: 0 });
    term.router.hear({ type: "dropped", reason: "a message from a peer", suppressed: 7 });
    expect(term.notices).toEqual([
      "dropped a message from a peer",
      "dropped a message from a peer (and 7 more like it)",
    ]);
    expect(term.journal.records).toHaveLength(before);
  });
});

describe("a fault of our own", () => {
  it("out of a callback ends the term: it is journaled, the worker is ended, and who waits is told", async () => {
    term = await new TermUnderTest(FIXED).training();
    const { length } = term.ledger.lines;
    term.faults.report(new Error("out of a timer"));
    await expect(term.ended).rejects.toThrow("out of a timer");
    expect(lastEvent()).toEqual({ type: "controller/failed", message: "out of a timer" });
    expect(term.ledger.lines.slice(length)).toEqual([
      "journal controller/failed, on the disk",
      "kill 4001",
      "close the router",
    ]);
    expect(replayJournal(term.journal.records).end).toBeNull();
  });

  const full = new ExternalError({ code: "journal_unwritable", message: "the journal cannot be written (ENOSPC)" });

  it("of the journal ends the term before the command is carried out", async () => {
    term = await new TermUnderTest(FIXED).training();
    const { length } = term.ledger.lines;
    term.journal.fault = full;
    term.reach();
    await expect(term.ended).rejects.toBe(full);
    expect(term.ledger.lines.slice(length)).toEqual(["kill 4001", "close the router"]);
  });

  it("of a message that breaks the protocol ends it, and no attempt is blamed or started for it", async () => {
    term = await new TermUnderTest(FIXED).training();
    const { length } = term.journal.records;
    term.router.refusal = new ProtocolError("frame_size", "$: a frame of 70000 bytes (limit 65536)");
    term.reach();
    await expect(term.ended).rejects.toThrow(BugError);
    await term.clock.pass(60_000);
    expect(term.journal.records.slice(length).map(({ event }) => event.type)).toEqual([
      "worker/reachedBoundary",
      "controller/failed",
    ]);
    expect(term.launcher.requests).toHaveLength(1);
  });
});

describe("events", () => {
  it("that arrive while one is taken wait until its commands are carried out", async () => {
    const lines: string[] = [];
    let armed = false;
    term = new TermUnderTest(FIXED, {
      onRecord: (record, state) => {
        term.state = state;
        lines.push(record.event.type);
        if (!armed) return;
        armed = false;
        term.interrupt("SIGINT");
        lines.push("told of the boundary");
      },
    });
    await term.training();
    armed = true;
    term.reach();
    expect(lines.slice(-3)).toEqual(["worker/reachedBoundary", "told of the boundary", "controller/interrupted"]);
    expect(term.ledger.since("journal worker/reachedBoundary, on the disk")).toEqual([
      "journal worker/reachedBoundary, on the disk",
      "send grant",
      "journal controller/interrupted",
      "send recall",
    ]);
  });

  it("that come after the end are dropped", async () => {
    term = await new TermUnderTest(FIXED).training();
    term.interrupt("SIGINT");
    term.interrupt("SIGINT");
    await term.ended;
    const { length } = term.journal.records;
    term.router.say("log", { level: "info", text: "a late word" });
    term.interrupt("SIGTERM");
    await term.clock.pass(10_000);
    expect(term.journal.records).toHaveLength(length);
    expect(term.ledger.lines.at(-1)).toBe("close the router");
  });

  it("are numbered, dated and reduced as a replay reads them", async () => {
    term = await new TermUnderTest(FIXED).training();
    term.reach();
    const { records } = term.journal;
    expect(records.map(({ n }) => n)).toEqual(records.map((_, index) => index + 1));
    expect(records[0]).toMatchObject({ term: 1, at: "2026-01-01T00:00:05.000Z" });
    expect(replayJournal(records)).toEqual(term.state);
  });
});
