import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPlateau } from "../../src/core/detector/plateau.js";
import { isComparable, missedAt } from "../../src/core/recorded.js";
import type { State } from "../../src/core/state.js";
import { LOSSES, plateau, QUIET, recordedRun, type Recorded } from "../support/recorded-run.js";
import { simulatedConfig, SimulatedRun, simulatedTextConfig } from "../support/simulated-run.js";

const updatesOf = (state: State, key: string): number[] => state.signal.series[key]?.map(({ update }) => update) ?? [];

describe("a boundary with what was recorded", () => {
  it("comes right after the update, and decides k there as the rule says of the series", () => {
    const { state } = recordedRun(plateau).until(({ interval }) => interval !== null);
    const points = LOSSES.map((value, index) => ({ update: 3 * (index + 1) + 1, value, standardError: null }));
    const found = findPlateau(points, { window: 2, tolerance: 0.02, mode: "min" })!;
    expect(state.interval).toEqual({
      k: found.firedAt,
      source: "online",
      signal: "recorded:loss",
      decidedAt: found.firedAt,
      kOffline: found.endedAt,
      kOfflineReason: null,
    });
    expect(updatesOf(state, "recorded/loss")).toEqual([4, 7, 10, 13, 16, 19]);
  });

  it("may come before the grant ends, and one without it may not", () => {
    const simulated = recordedRun(() => ({}), ...QUIET).until(
      ({ attempt }) => attempt?.stage === "training" && attempt.grant.until !== 1,
    );
    const seconds = { train: 1, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
    simulated.say("worker/reachedBoundary", { update: 2, recalled: false, metrics: [], seconds });
    expect(simulated.decided("attempt/ended")[0]?.why).toContain("it stopped before update 2 without a recall");
  });

  it("keeps what is not finite, and leaves it out of the judgement", () => {
    const record = (): Recorded => ({ loss: { non_finite: "nan" }, other: { non_finite: "inf" } });
    const simulated = recordedRun(record, ...QUIET).until(({ progress }) => progress.frontier > 3);
    expect(updatesOf(simulated.state, "recorded/loss").slice(0, 2)).toEqual([2, 3]);
    expect(
      simulated
        .decided("signal/ignored")
        .slice(0, 2)
        .map(({ key }) => key),
    ).toEqual(["recorded/loss", "recorded/other"]);
    expect(simulated.decided("signal/judged")).toEqual([]);
  });

  it("keeps every name, also where k is fixed, and changes nothing of the training", () => {
    const fixed = recordedRun(plateau, "intervention.k=9").finish();
    expect(updatesOf(fixed.state, "recorded/loss")).toHaveLength(20);
    const alone = recordedRun(() => ({}), "intervention.k=9").finish();
    expect(fixed.state.weights.sha256).toBe(alone.state.weights.sha256);
  });

  it("is found again by runs that are killed, paused and asked, which decide as undisturbed", () => {
    const undisturbed = recordedRun(plateau).finish();
    const at = fc.integer({ min: 1, max: 120 });
    const lost = fc.integer({ min: 0, max: 3 });
    const disturbances = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant("die" as const), lost }),
        fc.record({ do: fc.constant("crash" as const), lost }),
        fc.record({ do: fc.constant("request" as const), request: fc.constant({ verb: "pause" } as const) }),
        fc.record({ do: fc.constant("request" as const), request: fc.constant({ verb: "checkpoint" } as const) }),
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(disturbances, fc.array(at, { minLength: 4, maxLength: 4 }), (actions, waits) => {
        const disturbed = recordedRun(plateau);
        actions.forEach((action, index) => {
          disturbed.act({ do: "work", times: waits[index]! });
          if (disturbed.state.end === null) disturbed.act(action);
          if (disturbed.state.operator.paused) disturbed.act({ do: "request", request: { verb: "continue" } });
        });
        const { state } = disturbed.finish();
        expect(state.interval).toEqual(undisturbed.state.interval);
        expect(state.signal.series["recorded/loss"]?.slice(0)).toEqual(
          undisturbed.state.signal.series["recorded/loss"]?.slice(0),
        );
        expect(state.weights.sha256).toBe(undisturbed.state.weights.sha256);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a pause at the boundary that decides", () => {
  it("leaves the release for the next grant, so that a checkpoint asked for there is of the frozen block", () => {
    const disturbed = recordedRun(plateau);
    disturbed.until(({ interval }) => interval !== null);
    disturbed.act({ do: "request", request: { verb: "pause" } });
    disturbed.act({ do: "work", times: 1 });
    disturbed.act({ do: "request", request: { verb: "checkpoint" } });
    const { state } = disturbed.finish();
    expect(state.weights.sha256).toBe(recordedRun(plateau).finish().state.weights.sha256);
  });
});

describe("a number that does not come", () => {
  it("is missed once, half-way to k_max, at a boundary made for it", () => {
    const simulated = recordedRun((step) => (step === 6 ? { accuracy: 1 } : {}), ...QUIET).finish();
    expect(simulated.decided("signal/unheard")).toEqual([
      { type: "signal/unheard", update: 20, signal: "recorded:loss", recorded: ["accuracy"] },
    ]);
    expect(simulated.state.interval).toMatchObject({ k: 40, source: "cap", kOffline: null });
  });

  it("is not missed once it has come, and not where something else decides", () => {
    const heard = recordedRun(plateau, ...QUIET).until(({ progress }) => progress.frontier > 4).state;
    expect(missedAt(heard, heard.model!)).toBeNull();
    const measured = recordedRun(() => ({}), "intervention.signal=fisher_trace").until(
      ({ model }) => model !== null,
    ).state;
    expect(missedAt(measured, measured.model!)).toBeNull();
  });

  it("is compared when it comes again, other than what a script records for people", () => {
    const { state } = recordedRun(plateau);
    const keys = ["recorded/loss", "recorded/speed", "probe/fisher_trace"];
    expect(keys.map((key) => isComparable(state, key))).toEqual([true, false, true]);
  });
});

describe("a built-in training", () => {
  const byScore = [
    "intervention.signal=recorded:development_f1",
    "intervention.mode=max",
    "intervention.tau=2",
    "intervention.k_max=50",
  ];

  it("records the scores on its development set, and k may be decided while it stands there", () => {
    const config = simulatedTextConfig(...byScore, "probe.metrics=[]");
    const { state } = new SimulatedRun(config).finish();
    expect(updatesOf(state, "recorded/development_f1")).toEqual([9, 18, 27, 36, 45, 54, 61]);
    expect(updatesOf(state, "recorded/development_exact_match")).toHaveLength(7);
    // The score rises up to step 30: of the points, that at 27 is the best.
    expect(state.interval).toMatchObject({ k: 45, source: "online", signal: "recorded:development_f1", kOffline: 27 });
  });

  it("gives the same weights as with k fixed to what was decided", () => {
    const online = new SimulatedRun(simulatedTextConfig(...byScore, "probe.metrics=[]")).finish().state;
    const { k } = online.interval!;
    const fixed = new SimulatedRun(simulatedTextConfig(`intervention.k=${k}`)).finish().state;
    expect(fixed.weights.sha256).toBe(online.weights.sha256);
  });

  const byLoss = ["intervention.signal=recorded:validation_loss", "intervention.tau=2", "intervention.k_max=50"];

  it("records the loss there, with its error, which may decide as well", () => {
    const config = simulatedTextConfig(...byLoss, "probe.metrics=[]");
    const { state } = new SimulatedRun(config).finish();
    expect(updatesOf(state, "recorded/validation_loss")).toEqual([9, 18, 27, 36, 45, 54, 61]);
    expect(state.signal.series["recorded/validation_loss"]!.at(0)).toMatchObject({
      value: 0.9 ** 8,
      standardError: 0.001,
    });
    // It falls until step 12.
    expect(state.interval).toMatchObject({ k: 36, source: "online", kOffline: 18 });
  });

  it("of images, with a development set, does so too, and a killed worker changes nothing", () => {
    const images = ["evaluate.development=100", "evaluate.every=9", "evaluate.keep=best"];
    const config = simulatedConfig(...images, ...byLoss);
    const undisturbed = new SimulatedRun(config).finish().state;
    expect(undisturbed.interval).toMatchObject({ k: 36, source: "online" });
    expect(undisturbed.weights.best).not.toBeNull();
    for (const units of [20, 45, 70]) {
      const run = new SimulatedRun(config);
      run.act({ do: "work", times: units });
      run.act({ do: "die", lost: 1 });
      const { state } = run.finish();
      expect(state.attempts.launched).toBe(2);
      expect(state.interval).toEqual(undisturbed.interval);
      expect(state.weights.sha256).toBe(undisturbed.weights.sha256);
      expect(updatesOf(state, "recorded/validation_loss")).toEqual(updatesOf(undisturbed, "recorded/validation_loss"));
    }
  });
});
