import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadAttachedConfig, type AttachedConfig } from "../../../src/config/attached.js";
import { rewind } from "../../../src/core/attempt/script-resume.js";
import type { State } from "../../../src/core/state.js";
import { verifyJournal } from "../../../src/journal/replay.js";
import type { Body } from "../../../src/protocol/messages.js";
import { harmlessCommands, interleavings } from "../interleavings.js";
import { BLOCKS, simulatedConfig, SimulatedRun, trainingOf } from "../../support/simulated-run.js";

const SETTINGS = ["probe.every=2", "intervention.k_max=20", "supervision.max_restarts=1000"];

function scriptConfig(restart: boolean, ...overrides: string[]): AttachedConfig {
  const script = { command: ["python", "train.py"] as [string, ...string[]], folder: "/home/me", restart };
  return loadAttachedConfig({ file: null, overrides: [...SETTINGS, ...overrides], env: {}, cwd: "/", script });
}

/** A script without checkpoints of its own: each attempt begins at the beginning. */
function scriptRun(restart = true): SimulatedRun {
  const config = scriptConfig(restart);
  return new SimulatedRun(config, trainingOf(config, { can: [] }));
}

/** After k = 16 was decided, killed, and the next attempt about to say where it stands. */
function killed(): SimulatedRun {
  const run = scriptRun().until(({ progress }) => progress.frontier >= 34);
  run.act({ do: "die", lost: 0 });
  return run.until(({ attempt }) => attempt?.stage === "preparing");
}

const decided: NonNullable<Body<"grant">["decided"]> = {
  interval: {
    k: 16,
    source: "online",
    signal: "fisher_trace",
    decided_at: 16,
    k_offline: null,
    k_offline_reason: "never",
  },
  operator: { unfreezes: [], learning_rate_factor: 1 },
};

function ready(step: number, resumed?: Partial<NonNullable<Body<"ready">["resumed"]>>): Body<"ready"> {
  const whole = { run: "r", trainable: ["head"], learning_rate_factor: 1, decided, ...resumed };
  return {
    blocks: BLOCKS.map((name) => ({ name, num_params: 10 })),
    head: { name: "head", num_params: 5 },
    num_updates: 60,
    updates_per_epoch: 60,
    learning_rates: [0.1],
    device: "cpu",
    threads: 1,
    seed: 0,
    resumed_from: step,
    can: [],
    ...(resumed === undefined ? {} : { resumed: whole }),
  };
}

function updatesIn(state: State): number[] {
  return (state.signal.series["probe/fisher_trace"] ?? []).map(({ update }) => update);
}

describe("a script that goes on from a checkpoint of its own run", () => {
  it("keeps what was before it, and decides anew what came later", () => {
    const run = killed();
    run.say("worker/prepared", ready(11, {}));
    expect(updatesIn(run.state)).toEqual([1, 2, 4, 6, 8, 10]);
    expect(run.state).toMatchObject({ interval: null, progress: { frontier: 12 }, signal: { judgedUntil: 11 } });
    const voided = { type: "history/voided", step: 11, points: 3, k: 16, changes: 0 };
    expect(run.decided("history/voided")).toEqual([voided]);
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ until: 12, trainable: ["head"] });
  });

  it("keeps a k that was decided before it", () => {
    const run = killed();
    run.say("worker/prepared", ready(20, { trainable: ["head", "block3"] }));
    expect(run.state.interval?.k).toBe(16);
    expect(run.decided("history/voided")).toEqual([]);
    expect(run.ordered("worker/grant").at(-1)!.body.trainable).toEqual(["head", "block3"]);
  });

  it.each([
    ["the same value", 1, false],
    ["another value", 0.5, true],
  ])("compares %s with the one that is void, and lets the new one stand", (_, factor, differs) => {
    const run = killed();
    const before = run.state.signal.series["probe/fisher_trace"]!.get(12)!;
    run.say("worker/prepared", ready(11, {}));
    const value = (before.value as number) * factor;
    const errors = { standard_error: null, change_standard_error: null, span_standard_error: null };
    const seconds = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
    const metrics = [{ key: "probe/fisher_trace", value, ...errors, seconds: 0 }];
    run.say("worker/reachedBoundary", { update: 12, recalled: false, metrics, seconds });
    expect(run.decided("signal/differed").map(({ voided }) => voided)).toEqual(differs ? [true] : []);
    expect(run.state.identityDropped).toHaveLength(differs ? 1 : 0);
    expect(run.state.signal.series["probe/fisher_trace"]!.at(-1)).toMatchObject({ update: 12, value });
  });

  it("tells an operator that the change is void", () => {
    const run = scriptRun().until(({ progress }) => progress.frontier >= 8);
    run.act({ do: "request", request: { verb: "set-lr", factor: 0.5, at: 9 } });
    run.until(({ operator: { changes: operatorChanges } }) => operatorChanges.length === 1);
    run.act({ do: "die", lost: 5 });
    run.until(({ attempt }) => attempt?.stage === "preparing").say("worker/prepared", ready(5, {}));
    expect(run.state.operator.changes).toEqual([]);
    expect(run.decided("history/voided")).toMatchObject([{ step: 5, changes: 1 }]);
  });

  it("is progress when the checkpoint is newer, and counts restarts otherwise", () => {
    const run = killed();
    run.say("worker/prepared", ready(20, { trainable: ["head", "block3"] }));
    expect(run.state).toMatchObject({ attempts: { restarts: 0 }, weights: { furthestCheckpoint: 20 } });
    run.act({ do: "die", lost: 0 });
    run.until(({ attempt }) => attempt?.stage === "preparing");
    run.say("worker/prepared", ready(20, { trainable: ["head", "block3"] }));
    expect(run.state.attempts.restarts).toBe(1);
  });
});

describe("a script that cannot go on from where it stands", () => {
  it.each([
    ["no state", ready(20), "the script resumed from step 20 without the state of a run"],
    [
      "the state of another run",
      ready(20, { run: "other" }),
      "the script resumed from step 20 of run `other`, which is not this run",
    ],
    [
      "weights of another mask",
      ready(20, { trainable: ["head"] }),
      "the script resumed from step 20 with head trainable, but this run's schedule says block3, head",
    ],
    [
      "weights of another factor",
      ready(20, { trainable: ["head", "block3"], learning_rate_factor: 0.5 }),
      "the script resumed from step 20 with learning rate times 0.5, but this run's schedule says 1",
    ],
    [
      "weights of a block that was warming up",
      ready(20, {
        trainable: ["head", "block3"],
        warming_up: [{ blocks: ["block3"], since: 16, num_updates: 9 }],
      }),
      "the script resumed from step 20 with block3 warming up over 9 updates from 16 on, but this run's schedule says no block warming up",
    ],
  ])("is refused with %s, exit code 2", (_, body, message) => {
    const run = killed();
    run.say("worker/prepared", body);
    expect(run.state.end).toMatchObject({ exitCode: 2, code: "script_state", message });
  });
});

describe("a new run", () => {
  function adopting(...overrides: string[]): SimulatedRun {
    const run = new SimulatedRun(scriptConfig(true), trainingOf(simulatedConfig(...overrides), { can: [] }));
    run.until(({ attempt }) => attempt?.stage === "preparing");
    const point = { value: 0.5, standard_error: 0.1, change_standard_error: null, span_standard_error: null };
    const points = [4, 2, 22].map((update) => ({ ...point, seconds: 1, update }));
    run.say("worker/remembered", { key: "probe/fisher_trace", points: points.slice(0, 2) });
    run.say("worker/remembered", { key: "probe/fisher_trace", points: points.slice(2) });
    run.say("worker/prepared", ready(20, { run: "other", trainable: ["head", "block3"] }));
    return run;
  }

  it("takes series, mask and k from the script's state", () => {
    const run = adopting();
    expect(updatesIn(run.state)).toEqual([2, 4]);
    expect(run.state).toMatchObject({
      adopted: { run: "other", step: 20 },
      progress: { frontier: 21 },
      signal: { judgedUntil: 20 },
    });
    expect(run.decided("history/adopted")).toEqual([
      { type: "history/adopted", run: "other", step: 20, points: 2, k: 16 },
    ]);
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ trainable: ["head", "block3"], decided });
  });

  it("takes the same checkpoint again when the script dies before it has written another one", () => {
    const run = adopting();
    run.act({ do: "die", lost: 0 });
    run.until(({ attempt }) => attempt?.stage === "preparing");
    run.say("worker/prepared", ready(20, { run: "other", trainable: ["head", "block3"] }));
    expect(run.state.attempt).toMatchObject({ stage: "training", ended: null });
    expect(run.state.interval?.k).toBe(16);
  });

  it("ends an attempt that tells of another run once it trains", () => {
    const run = adopting();
    run.say("worker/remembered", { key: "a", points: [] });
    expect(run.decided("attempt/ended").at(-1)).toMatchObject({ why: "it told of another run when nobody asked" });
  });
});

describe("a script whose run has a budget", () => {
  const budget = (share: number) => {
    const config = scriptConfig(true, `probe.budget=${share}`, "intervention.k_max=48");
    return new SimulatedRun(config, trainingOf(config, { can: [], cost: { update: 1, point: 0.5 } }));
  };

  it("keeps what was chosen when it goes back before the choice, from there on", () => {
    const run = budget(0.1).until(({ progress }) => progress.frontier >= 12);
    expect(run.state.signal.grid).toMatchObject({ every: 6, from: 4 });
    run.act({ do: "die", lost: 0 });
    run.until(({ attempt }) => attempt?.stage === "preparing").say("worker/prepared", ready(3, {}));
    expect(run.state.signal.grid).toMatchObject({ every: 6, from: 3 });
    expect(updatesIn(run.state)).toEqual([1]);
    expect(run.ordered("worker/grant").at(-1)!.body).toMatchObject({ until: 4, probe: [], probe_every: 6 });
    expect(run.decided("every/chosen")).toHaveLength(1);
  });

  it.each([
    ["a multiple", 0.1, 6, 6],
    ["what is no multiple of its own", 0.1, 5, null],
  ])("goes on in a new run with %s", (_, share, every, chosen) => {
    const run = budget(share).until(({ attempt }) => attempt?.stage === "preparing");
    const brought = { ...decided, interval: null, probe_every: every };
    run.say("worker/prepared", ready(20, { run: "other", decided: brought }));
    expect(run.state.signal.grid).toEqual(chosen === null ? null : { every: chosen, from: 20, choice: null });
    const { until, probe_every: told, decided: kept } = run.ordered("worker/grant").at(-1)!.body;
    expect([told ?? null, kept?.probe_every ?? null]).toEqual(until! > 20 ? [chosen, chosen] : [null, chosen]);
  });

  it("leaves a new run without a budget its own `every`", () => {
    const run = scriptRun().until(({ attempt }) => attempt?.stage === "preparing");
    run.say(
      "worker/prepared",
      ready(20, { run: "other", trainable: ["head", "block3"], decided: { ...decided, probe_every: 6 } }),
    );
    expect(run.state.signal.grid).toBeNull();
  });
});

describe("whatever happens to it", () => {
  it("a script that begins anew each time finds the same k and trains the same, and its journal replays", () => {
    const undisturbed = scriptRun().finish();
    fc.assert(
      fc.property(interleavings(harmlessCommands), (actions) => {
        // Dying before it has ever attached would end the run.
        const run = scriptRun().until(({ progress }) => progress.frontier >= 12);
        for (const action of actions) run.act(action);
        run.finish();
        expect(run.state.interval).toEqual(undisturbed.state.interval);
        expect(run.state.weights.sha256).toBe(undisturbed.state.weights.sha256);
        expect(run.state.signal.series).toEqual(undisturbed.state.signal.series);
        expect([...run.state.identityDropped]).toEqual([]);
        verifyJournal(run.records);
      }),
      { numRuns: 60 },
    );
  });

  it("going back twice is going back to the earlier step, and loses no value", () => {
    const { state } = scriptRun().until(({ progress }) => progress.frontier >= 34);
    const steps = fc.integer({ min: 0, max: 60 });
    const essence = ({ signal: { series, judgedUntil }, interval, progress: { frontier, loss } }: State): unknown =>
      JSON.stringify([series, interval, frontier, loss, judgedUntil]);
    fc.assert(
      fc.property(steps, steps, (first, second) => {
        const twice = rewind(rewind(state, first).state, second).state;
        expect(essence(twice)).toBe(essence(rewind(state, Math.min(first, second)).state));
        const all = [
          ...updatesIn(twice),
          ...(twice.signal.voided["probe/fisher_trace"] ?? []).map(({ update }) => update),
        ];
        expect(all.sort((a, b) => a - b)).toEqual(updatesIn(state));
      }),
    );
  });
});
