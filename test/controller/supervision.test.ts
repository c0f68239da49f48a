import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadAttachedConfig } from "../../src/config/attached.js";
import { loadConfig } from "../../src/config/load.js";
import { superviseAttempts, type Supervision } from "../../src/controller/supervision.js";
import type { Event } from "../../src/core/events.js";
import { createRun } from "../../src/core/reduce.js";
import type { Attempt, AttemptStage, State } from "../../src/core/state.js";

const config = loadConfig({
  source: "quickstart",
  overrides: [
    "supervision.connect_seconds=2",
    "supervision.progress_seconds=30",
    "supervision.progress_warn_seconds=5",
    "supervision.stop_grace_seconds=3",
    "supervision.link_silent_seconds=4",
  ],
  env: {},
  cwd: process.cwd(),
});

let supervision: Supervision;
let emitted: Event[];
let heardAt: number | null;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  emitted = [];
  heardAt = null;
  supervision = superviseAttempts({
    emit: (event) => emitted.push(event),
    now: () => performance.now(),
    lastHeardAt: () => heardAt,
  });
});
afterEach(() => {
  supervision.stop();
  vi.useRealTimers();
});

function stateIn(stage: AttemptStage, changes: Partial<State> = {}): State {
  const state = createRun({ type: "run/created", format: 1, coreVersion: 1, run: "r", config });
  const attempt = { number: 1, stage, endedBecause: null } as Attempt;
  return { ...state, attempt, ...changes };
}

/** Lets seconds pass and returns what was emitted in them, as `type what/clock`. */
function after(seconds: number): string[] {
  const before = emitted.length;
  vi.advanceTimersByTime(seconds * 1000);
  return emitted.slice(before).map((event) => {
    if (event.type === "attempt/timedOut") return `timed out: ${event.clock}`;
    return event.type === "attempt/quiet" ? `quiet: ${event.what}` : event.type;
  });
}

describe("supervision", () => {
  it("gives a script that has trained the time that it takes for the rest", () => {
    const script = { command: ["python"] as [string], folder: "/", restart: false };
    const own = loadAttachedConfig({ file: null, overrides: [], env: {}, cwd: "/", script });
    supervision.observe({ ...stateIn("closed"), config: own }, false);
    expect(after(10_000)).toEqual([]);
    supervision.observe(stateIn("closed"), false);
    expect(after(3.2)).toContain("timed out: stop");
  });

  it("gives a worker its time to connect", () => {
    supervision.observe(stateIn("connecting"), false);
    expect(after(1.9)).toEqual([]);
    expect(after(0.3)).toContain("timed out: connect");
  });

  it("starts the clock anew in every stage", () => {
    supervision.observe(stateIn("connecting"), false);
    after(1.5);
    supervision.observe(stateIn("preparing"), false);
    expect(after(1.5)).toEqual([]);
  });

  it("warns once about work that stands still, then ends the attempt", () => {
    supervision.observe(stateIn("training"), false);
    expect(after(20)).toEqual(["quiet: work"]);
    expect(after(11)[0]).toBe("timed out: progress");
  });

  it("lets any sign of work reset that clock", () => {
    const state = stateIn("training");
    supervision.observe(state, false);
    for (let time = 0; time < 120; time += 4) {
      expect(after(4)).toEqual([]);
      supervision.observe(state, true);
    }
  });

  it("lets a paused worker wait for ever", () => {
    supervision.observe(stateIn("waiting", { paused: true }), false);
    expect(after(5000)).toEqual([]);
  });

  it("does not let a worker that was told to stop buy time with progress", () => {
    const state = stateIn("stopping");
    supervision.observe(state, false);
    for (let time = 0; time < 3; time += 1) {
      after(0.9);
      supervision.observe(state, true);
    }
    expect(after(1)).toContain("timed out: stop");
  });

  it("shows a silent link once, and ends nothing for it", () => {
    const state = stateIn("training");
    supervision.observe(state, true);
    heardAt = performance.now();
    const shown: string[] = [];
    for (let time = 0; time < 12; time += 1) {
      shown.push(...after(1));
      supervision.observe(state, true);
    }
    expect(shown).toEqual(["quiet: link"]);
  });

  it("says nothing more about an attempt that is being ended", () => {
    const state = stateIn("connecting");
    supervision.observe({ ...state, attempt: { ...state.attempt!, endedBecause: "it was told to" } }, false);
    expect(after(100)).toEqual([]);
  });
});
