import { describe, expect, it } from "vitest";
import { createRecordGate, showsWork, workerEvent } from "../../src/controller/worker-events.js";

/** A clock that the test moves, in milliseconds. */
function createClock() {
  let time = 5000;
  return { now: () => time, pass: (milliseconds: number) => (time += milliseconds) };
}

describe("the record gate", () => {
  it("lets progress through once a second, and once in ten seconds after the first hour", () => {
    const clock = createClock();
    const gate = createRecordGate(clock.now);
    const passed = (steps: number, milliseconds: number): number => {
      let count = 0;
      for (let step = 0; step < steps; step += 1) {
        if (gate("progress")) count += 1;
        clock.pass(milliseconds);
      }
      return count;
    };
    expect(passed(20, 500)).toBe(10);
    clock.pass(3_600_000);
    expect(passed(40, 500)).toBe(2);
  });

  it("lets a burst of log lines through, then one a second", () => {
    const clock = createClock();
    const gate = createRecordGate(clock.now);
    const burst = Array.from({ length: 500 }, () => gate("log"));
    expect(burst.filter((passes) => passes)).toHaveLength(100);
    clock.pass(3000);
    expect(Array.from({ length: 10 }, () => gate("log")).filter((passes) => passes)).toHaveLength(3);
  });

  it("never holds back what the core decides by", () => {
    const gate = createRecordGate(() => 0);
    expect(Array.from({ length: 300 }, () => gate("boundary")).every((passes) => passes)).toBe(true);
  });
});

describe("a worker event", () => {
  it("of a broken protocol belongs to the attempt under way", () => {
    const event = workerEvent({ type: "violation", reason: "$.seq: 5 after 1" }, 3);
    expect(event).toEqual({ type: "attempt/violated", attempt: 3, reason: "it broke the protocol: $.seq: 5 after 1" });
    expect(showsWork(event)).toBe(false);
  });

  it("of another version names both", () => {
    expect(workerEvent({ type: "incompatible", theirs: { major: 9, minor: 1 }, reason: "" }, 1)).toMatchObject({
      type: "attempt/incompatible",
      theirs: "9.1",
      ours: "1.0",
    });
  });
});
