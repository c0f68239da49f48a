import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexAt, startOf, updateAt } from "../../../src/core/intervention/counting.js";
import { detectorRule } from "../../../src/core/measured.js";
import { composeResults } from "../../../src/reading/results.js";
import { askWhatIf } from "../../../src/journal/replay.js";
import { BLOCKS, simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

const UNFREEZING = "intervention.kind=gradual_unfreezing";
const SWITCH = "intervention.kind=learning_rate_switch";
const QUIET = "checkpoint.every=1000";

/** A whole run of `updates` updates. */
function finished(updates: number, ...overrides: string[]): SimulatedRun {
  return new SimulatedRun(simulatedConfig(QUIET, `train.updates=${updates}`, ...overrides)).finish();
}

describe("the intervention's own count", () => {
  it("is the run's where it starts with the run, or where there is none", () => {
    const first = simulatedConfig(UNFREEZING).intervention;
    const none = simulatedConfig("intervention.kind=none").intervention;
    for (const update of [0, 1, 7]) {
      expect([indexAt(first, update), updateAt(first, update)]).toEqual([update, update]);
      expect([indexAt(none, update), updateAt(none, update)]).toEqual([update, update]);
    }
    expect(startOf(none)).toBe(1);
  });

  it("is 1 in the first update of the intervention", () => {
    const late = simulatedConfig(SWITCH, "intervention.start=40").intervention;
    expect([39, 40, 55].map((update) => indexAt(late, update))).toEqual([0, 1, 16]);
    expect([0, 1, 16].map((index) => updateAt(late, index))).toEqual([39, 40, 55]);
  });
});

describe("a later start", () => {
  const unfreezing = fc.tuple(
    fc.constant(UNFREEZING),
    fc.constantFrom("intervention.order=top_down", "intervention.order=bottom_up", "intervention.order=random"),
    fc.constantFrom("intervention.first_unfreeze=next", "intervention.first_unfreeze=paper41"),
  );
  const common = fc.tuple(
    fc.constantFrom(
      ["intervention.k_max=null"],
      ["intervention.k_max=5"],
      ["intervention.k=1"],
      ["intervention.k=9"],
      ["intervention.k=20"],
    ),
    fc.constantFrom(["probe.until=decision"], ["probe.until=end"]),
  );
  const settings = fc.tuple(fc.oneof(unfreezing, fc.constant([SWITCH])), common).map((parts) => parts.flat(2));

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
    const run = new SimulatedRun(config).until(({ progress }) => progress.frontier > 30);
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
    expect(run.state.signal.series["probe/fisher_trace"]!.slice(0, 3).map(({ update }) => update)).toEqual([
      14, 15, 17,
    ]);
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
    const { tau, epsilon } = detectorRule(state.config);
    expect(askWhatIf(state, { metric: "fisher_trace", tau, epsilon })).toMatchObject({
      kOnline: 16,
      offline: { k: 6 },
    });
  });
});
