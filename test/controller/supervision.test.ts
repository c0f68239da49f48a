import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadAttachedConfig } from "../../src/config/attached.js";
import { loadConfig } from "../../src/config/layers/load.js";
import { superviseAttempts, type Supervision } from "../../src/controller/supervision.js";
import type { Event } from "../../src/core/events.js";
import { reduce } from "../../src/core/reduce.js";
import type { Attempt, AttemptStage } from "../../src/core/attempt/attempt.js";
import type { State } from "../../src/core/state.js";
import { FakeClock } from "./fake-clock.js";

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

let clock: FakeClock;
let supervision: Supervision;
let emitted: Event[];
let heardAt: number | null;

beforeEach(() => {
  clock = new FakeClock();
  emitted = [];
  heardAt = null;
  supervision = superviseAttempts({
    emit: (event) => emitted.push(event),
    clock,
    lastHeardAt: () => heardAt,
  });
});
afterEach(() => supervision.stop());

function stateIn(stage: AttemptStage, changes: Partial<State> = {}): State {
  const state = reduce(null, { type: "run/created", format: 1, coreVersion: 1, run: "r", config }).state;
  const attempt = { number: 1, stage, ended: null } as Attempt;
  return { ...state, attempt, ...changes };
}

function paused(state: State): State {
  return { ...state, operator: { ...state.operator, paused: true } };
}

/** Lets seconds pass and returns what was emitted in them, as `type what/clock`. */
async function after(seconds: number): Promise<string[]> {
  const before = emitted.length;
  await clock.pass(seconds * 1000);
  return emitted.slice(before).map((event) => {
    if (event.type === "attempt/timedOut") return `timed out: ${event.clock}`;
    return event.type === "attempt/quiet" ? `quiet: ${event.what}` : event.type;
  });
}

describe("supervision", () => {
  it("gives a script that has trained the time that it takes for the rest", async () => {
    const script = { command: ["python"] as [string], folder: "/", restart: false };
    const own = loadAttachedConfig({ file: null, overrides: [], env: {}, cwd: "/", script });
    supervision.observe({ ...stateIn("closed"), config: own }, false);
    expect(await after(1000)).toEqual([]);
    supervision.observe(stateIn("closed"), false);
    expect(await after(3.2)).toContain("timed out: stop");
  });

  it("gives a script that has trained, once the run is to stop, the grace of a stop from then on", async () => {
    const script = { command: ["python"] as [string], folder: "/", restart: false };
    const config = loadAttachedConfig({
      file: null,
      overrides: ["supervision.stop_grace_seconds=3"],
      env: {},
      cwd: "/",
      script,
    });
    const closed = { ...stateIn("closed"), config };
    supervision.observe(closed, false);
    expect(await after(1000)).toEqual([]);
    supervision.observe({ ...closed, operator: { ...closed.operator, interrupted: "interrupted" } }, false);
    expect(await after(2.8)).toEqual([]);
    expect(await after(0.4)).toContain("timed out: stop");
  });

  it("gives a worker its time to connect", async () => {
    supervision.observe(stateIn("connecting"), false);
    expect(await after(1.9)).toEqual([]);
    expect(await after(0.3)).toContain("timed out: connect");
  });

  it("starts the clock anew in every stage", async () => {
    supervision.observe(stateIn("connecting"), false);
    await after(1.5);
    supervision.observe(stateIn("preparing"), false);
    expect(await after(1.5)).toEqual([]);
  });

  it("warns once about work that stands still, then ends the attempt", async () => {
    supervision.observe(stateIn("training"), false);
    expect(await after(20)).toEqual(["quiet: work"]);
    expect((await after(11))[0]).toBe("timed out: progress");
  });

  it("lets any sign of work reset that clock", async () => {
    const state = stateIn("training");
    supervision.observe(state, false);
    for (let time = 0; time < 120; time += 4) {
      expect(await after(4)).toEqual([]);
      supervision.observe(state, true);
    }
  });

  it("lets a paused worker wait for ever", async () => {
    supervision.observe(paused(stateIn("waiting")), false);
    expect(await after(500)).toEqual([]);
  });

  it("does not let a worker that was told to stop buy time with progress", async () => {
    const state = stateIn("stopping");
    supervision.observe(state, false);
    for (let time = 0; time < 3; time += 1) {
      await after(0.9);
      supervision.observe(state, true);
    }
    expect(await after(1)).toContain("timed out: stop");
  });

  it("shows a silent link once, and ends nothing for it", async () => {
    const state = stateIn("training");
    supervision.observe(state, true);
    heardAt = clock.now();
    const shown: string[] = [];
    for (let time = 0; time < 12; time += 1) {
      shown.push(...(await after(1)));
      supervision.observe(state, true);
    }
    expect(shown).toEqual(["quiet: link"]);
  });

  it("says nothing more about an attempt that is being ended", async () => {
    const state = stateIn("connecting");
    supervision.observe(
      { ...state, attempt: { ...state.attempt!, ended: { why: "it was told to", refusal: null } } },
      false,
    );
    expect(await after(100)).toEqual([]);
  });

  it.each([
    ["connecting", 1.5, "connect"],
    ["training", 25, "progress"],
    ["stopping", 2.5, "stop"],
  ] as const)("judges no worker that is %s by a time in which it stood still itself", async (stage, seconds, limit) => {
    heardAt = clock.now();
    supervision.observe(stateIn(stage), true);
    await after(seconds);
    clock.standStill(100_000);
    expect(await after(0.3)).toEqual([]);
    expect(await after(seconds + 5)).toContain(`timed out: ${limit}`);
  });

  it("calls no link silent for such a time", async () => {
    heardAt = clock.now();
    supervision.observe(stateIn("training"), true);
    clock.standStill(100_000);
    expect(await after(3)).toEqual([]);
    expect(await after(2)).toContain("quiet: link");
  });

  it.each(["training", "preparing"] as const)(
    "starts the clock of an order to stop when it is given to a worker that is %s, whatever it still does",
    async (stage) => {
      supervision.observe(stateIn(stage), false);
      await after(4);
      const ordered = withStop(stateIn(stage));
      supervision.observe(ordered, false);
      for (let time = 0; time < 3; time += 1) {
        expect(await after(0.9)).toEqual([]);
        supervision.observe(ordered, true);
      }
      expect(await after(0.5)).toContain("timed out: stop");
    },
  );
});

/** Somebody has asked for a stop that is not carried out yet. */
function withStop(state: State): State {
  const request = { id: "s", who: "me", request: { verb: "stop" } } as const;
  return { ...state, operator: { ...state.operator, requests: [request] } };
}
