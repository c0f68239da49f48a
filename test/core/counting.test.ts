import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexAt, startOf, updateAt } from "../../src/core/counting.js";
import { composeResults } from "../../src/core/results.js";
import { askWhatIf } from "../../src/journal/replay.js";
import { BLOCKS, simulatedConfig, SimulatedRun } from "./simulated-run.js";

const UNFREEZING = "intervention.kind=gradual_unfreezing";
const SWITCH = "intervention.kind=learning_rate_switch";
const QUIET = "checkpoint.every=1000";

/** A whole run of `updates` updates. */
function finished(updates: number, ...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig(QUIET, `train.updates=${updates}`, ...overrides)).finish();
}

describe("the intervention's own count", () => {
  it("is the run's where it starts with the run, or where there is none", () => {
    const first = { kind: "gradual_unfreezing", start: 1 } as const;
    const none = { kind: "none", start: 40 } as const;
    for (const update of [0, 1, 7]) {
      expect([indexAt(first, update), updateAt(first, update)]).toEqual([update, update]);
      expect([indexAt(none, update), updateAt(none, update)]).toEqual([update, update]);
    }
    expect(startOf(none)).toBe(1);
  });

  it("is 1 in the first update of the intervention", () => {
    const late = { kind: "learning_rate_switch", start: 40 } as const;
    expect([39, 40, 55].map((update) => indexAt(late, update))).toEqual([0, 1, 16]);
    expect([0, 1, 16].map((index) => updateAt(late, index))).toEqual([39, 40, 55]);
  });
});

describe("a later start", () => {
  const unfreezing = fc.tuple(
    fc.constant(UNFREEZING),
    fc.constantFrom("intervention.order=top_down", "intervention.order=bottom_up", "intervention.order=random"),
    fc.constantFrom("intervention.first_unfreeze=next", "intervention.first_unfreeze=paper41"),
    fc.constantFrom("intervention.unfreeze=gradual", "intervention.unfreeze=all_at_once"),
  );
  const common = fc.tuple(
    fc.constantFrom("intervention.k=online", "intervention.k=1", "intervention.k=9", "intervention.k=20"),
    fc.constantFrom("probe.until=decision", "probe.until=end"),
    fc.constantFrom("intervention.k_max=null", "intervention.k_max=5"),
  );
  const settings = fc.tuple(fc.oneof(unfreezing, fc.constant([SWITCH])), common).map((parts) => parts.flat());

  it("does from there on what the same intervention does from the beginning of a run that is as much shorter", () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 2, max: 40 }), (overrides, start) => {
        const shift = start - 1;
        const late = finished(60 + shift, `intervention.start=${start}`, ...overrides);
        const early = finished(60, ...overrides);
        for (let update = 1; update <= 60; update += 1) {
          expect(late.trained.get(update + shift)).toEqual(early.trained.get(update));
        }
        const shifted = [...early.measuredUnder].map(([update, trainable]) => [update + shift, trainable]);
        expect([...late.measuredUnder]).toEqual(shifted);
        const decidedAt = (run: SimulatedRun): number => run.state.interval!.decidedAt;
        expect(late.state.interval).toEqual({ ...early.state.interval, decidedAt: decidedAt(late) });
        expect(decidedAt(late)).toBe(decidedAt(early) === 0 ? 0 : decidedAt(early) + shift);
        expect(composeResults(late.state, 0).left_frozen).toEqual(composeResults(early.state, 0).left_frozen);
      }),
      { numRuns: 60 },
    );
  });

  it("trains everything before, as after the intervention", () => {
    const { trained } = finished(60, UNFREEZING, "intervention.k=5", "intervention.start=21");
    expect([1, 20].map((update) => trained.get(update)!.trainable)).toEqual(Array(2).fill(["head", ...BLOCKS]));
    expect([21, 24, 25, 35].map((update) => trained.get(update)!.trainable.length)).toEqual([1, 1, 2, 4]);

    const factors = (...overrides: string[]): number[] => {
      const run = finished(60, SWITCH, "intervention.k=5", "intervention.start=21", ...overrides);
      return [1, 20, 21, 24, 25, 60].map((update) => run.trained.get(update)!.factor);
    };
    expect(factors()).toEqual([1, 1, 0.1, 0.1, 1, 1]);
    expect(factors("intervention.before=1", "intervention.after=0.1")).toEqual([0.1, 0.1, 1, 1, 0.1, 0.1]);
  });

  it("is announced once, and so is what follows in the same update", () => {
    const overrides = [UNFREEZING, "intervention.k=1", "intervention.start=21", "probe.until=end"];
    const config = simulatedConfig(...overrides, "checkpoint.every=20");
    const run = new SimulatedRun(config).until(({ frontier }) => frontier > 30);
    run.act({ do: "crash", lost: 0 });
    run.finish();
    expect(run.decided("block/frozen")).toEqual([{ type: "block/frozen", update: 21, blocks: BLOCKS }]);
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([21, 22, 23]);
  });

  it("measures nothing before, and point 0 in a stay of its own, after the blocks were frozen", () => {
    const run = finished(60, UNFREEZING, "intervention.start=14", "intervention.k_max=20");
    const grants = run
      .ordered("worker/grant")
      .map(({ body }) => [body.until, body.trainable.length, body.probe.length]);
    expect(grants.slice(0, 5)).toEqual([
      [1, 4, 0],
      [14, 4, 0],
      [14, 1, 1],
      [15, 1, 1],
      [17, 1, 1],
    ]);
    expect(run.state.series["probe/fisher_trace"]!.slice(0, 3).map(({ update }) => update)).toEqual([14, 15, 17]);
    expect(run.state.interval).toMatchObject({ k: 16, source: "online", decidedAt: 29 });
    expect(composeResults(run.state, 0).k).toMatchObject({ value: 16, start: 14, decided_at_update: 29 });
  });

  it("changes no mask for a switch of the learning rate, so that its point 0 needs no stay", () => {
    const run = finished(60, SWITCH, "intervention.start=14");
    expect(
      run
        .ordered("worker/grant")
        .map(({ body }) => body.until)
        .slice(0, 3),
    ).toEqual([1, 14, 15]);
    expect(run.decided("learningRate/changed").map(({ update, factor }) => [update, factor])).toEqual([
      [14, 0.1],
      [14 - 1 + run.state.interval!.k, 1],
    ]);
  });

  it("answers what another detector would have chosen in the same count", () => {
    const { state } = finished(60, UNFREEZING, "intervention.start=14", "probe.until=end");
    const { tau, epsilon } = state.config.intervention;
    expect(askWhatIf(state, { metric: "fisher_trace", tau, epsilon })).toMatchObject({
      kOnline: 16,
      offline: { k: 6 },
    });
  });
});

describe("an operator's unfreezing", () => {
  const DELAYED = simulatedConfig("intervention.start=14", "intervention.k_max=20");

  it("is refused before the start: nothing is frozen there", () => {
    const run = new SimulatedRun(DELAYED).until(({ frontier }) => frontier >= 7);
    run.act({ do: "command", command: { verb: "unfreeze" } });
    run.act({ do: "command", command: { verb: "unfreeze", at: 13 } });
    run.finish();
    const why = "nothing is frozen before update 14, where the intervention starts";
    expect(run.decided("operator/refused").map((refused) => refused.why)).toEqual([why, why]);
    expect(run.state.interval).toMatchObject({ k: 16, source: "online" });
  });

  it("decides k in the intervention's count from there on", () => {
    const run = new SimulatedRun(DELAYED).until(({ frontier }) => frontier >= 7);
    run.act({ do: "command", command: { verb: "unfreeze", at: 20 } });
    run.finish();
    expect(run.state.interval).toMatchObject({ k: 7, source: "operator", decidedAt: 20 });
    expect(run.decided("block/unfrozen").map(({ update }) => update)).toEqual([20, 27, 34]);
  });
});

describe("a start behind the end", () => {
  it("is refused once the worker knows how long training is, and no restart is tried", () => {
    const config = simulatedConfig("intervention.start=60");
    expect(new SimulatedRun(config).finish().state.end).toMatchObject({ outcome: "finished" });
    const training = { ...config, intervention: { ...config.intervention, start: 61 } };
    const run = new SimulatedRun(training).until(({ end }) => end !== null);
    expect(run.state.end).toEqual({
      outcome: "failed",
      exitCode: 2,
      code: "invalid_config",
      message: "`intervention.start` is 61, but training ends after 60 updates",
      hint: "set `intervention.start` to at most 60, or train longer",
    });
    expect(run.state.numAttempts).toBe(1);
  });
});
