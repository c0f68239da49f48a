import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OperatorRequest } from "../../src/core/events.js";
import { startOf } from "../../src/core/intervention/counting.js";
import { detectorRule } from "../../src/core/measured.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { askWhatIf, replayJournal, verifyJournal } from "../../src/journal/replay.js";
import {
  anyCommands,
  checkInvariants,
  harmlessCommands,
  interleavings,
  literalTrainable,
  unfreezesOf,
} from "./interleavings.js";
import {
  simulatedConfig,
  simulatedConfigOver,
  SimulatedRun,
  trainingOf,
  type Action,
} from "../support/simulated-run.js";

const UNFREEZING = "intervention.kind=gradual_unfreezing";
const SWITCH = "intervention.kind=learning_rate_switch";
const KINDS = [UNFREEZING, SWITCH];
/** With a smaller k_max than the rule needs, the cap decides. */
const LATEST = ["intervention.k_max=20", "intervention.k_max=11", "intervention.k_max=1"];

const STARTS = ["intervention.start=1", "intervention.start=14"];

/** Of the first, ramps that end before the next release, and ones that overlap and outlast the run. */
const WARMUPS = ["intervention.release_warmup=null", "intervention.release_warmup=4", "intervention.release_warmup=30"];
const kinds = fc.oneof(
  fc.constantFrom(...WARMUPS).map((warmup) => [UNFREEZING, warmup]),
  fc.constant([SWITCH]),
);

/** Units of work in which an undisturbed run has released its first blocks. */
const MOST_WORK = 70;

const plainSettings = fc.tuple(
  fc.constantFrom(...LATEST),
  fc.constantFrom("probe.until=decision", "probe.until=end"),
  // Before update 14 the worker may have a checkpoint of that very boundary, or none.
  fc.constantFrom("checkpoint.every=7", "checkpoint.every=25"),
  fc.constantFrom(...STARTS),
);
const settings = fc.tuple(kinds, plainSettings).map(([kind, others]) => [...kind, ...others]);

function disturb(overrides: readonly string[], actions: readonly Action[]): SimulatedRun {
  const config = simulatedConfig(...overrides);
  const run = new SimulatedRun(config, trainingOf(config), checkInvariants);
  for (const action of actions) run.act(action);
  return run.finish();
}

/** The same k from the start, the same operator's changes asked for in advance, and nothing else happening. */
function undisturbed(overrides: readonly string[], { state }: SimulatedRun): SimulatedRun {
  const run = new SimulatedRun(simulatedConfigOver(overrides, `intervention.k=${state.interval!.k}`));
  for (const change of state.operator.changes) {
    const at = change.update;
    const request: OperatorRequest =
      change.kind === "unfreeze" ? { verb: "unfreeze", at } : { verb: "set-lr", factor: change.factor, at };
    run.act({ do: "request", request });
  }
  return run.finish();
}

function onDisk(records: readonly JournalRecord[]): JournalRecord[] {
  return JSON.parse(JSON.stringify(records)) as JournalRecord[];
}

function trainingIn(run: SimulatedRun): unknown {
  return [...run.trained].sort(([a], [b]) => a - b);
}

describe("an undisturbed online run", () => {
  const kindsAndStarts = KINDS.flatMap((kind) => STARTS.map((start) => [kind, start] as const));

  it.each(kindsAndStarts)("equals the run with its k fixed, update for update (%s, %s)", (kind, start) => {
    const online = new SimulatedRun(simulatedConfig(kind, start, LATEST[0]!)).finish();
    const fixed = new SimulatedRun(simulatedConfig(kind, start, `intervention.k=${online.state.interval!.k}`)).finish();
    const decidedAt = 15 + startOf(online.state.config.intervention);
    expect(online.state.interval).toMatchObject({ k: 16, source: "online", decidedAt });
    expect(fixed.state.interval).toMatchObject({ k: 16, source: "fixed", decidedAt: 0 });
    expect(trainingIn(fixed)).toEqual(trainingIn(online));
    expect(fixed.state.weights.sha256).toBe(online.state.weights.sha256);
    expect(fixed.state.signal.series).toEqual({});
  });

  it("trains differently with another k", () => {
    const [a, b] = [15, 16].map((k) => new SimulatedRun(simulatedConfig(`intervention.k=${k}`)).finish());
    expect(a!.state.weights.sha256).not.toBe(b!.state.weights.sha256);
  });
});

describe("whatever happens to a run", () => {
  it("its weights are those of the undisturbed run with the same k and the same operator's changes", () => {
    fc.assert(
      fc.property(settings, interleavings(anyCommands), (overrides, actions) => {
        const run = disturb(overrides, actions);
        const calm = undisturbed(overrides, run);
        expect(run.state.end).toEqual({ outcome: "finished", exitCode: 0 });
        expect(calm.state.operator.changes).toEqual(run.state.operator.changes);
        expect(trainingIn(run)).toEqual(trainingIn(calm));
        expect(run.state.weights.sha256).toBe(calm.state.weights.sha256);
        expect([...run.state.identityDropped]).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });

  it("its k is the undisturbed one, unless the operator decides it", () => {
    fc.assert(
      fc.property(settings, interleavings(harmlessCommands), (overrides, actions) => {
        const {
          interval,
          weights: { sha256: weightsSha256 },
        } = disturb(overrides, actions).state;
        const calm = disturb(overrides, []).state;
        expect(interval).toEqual(calm.interval);
        expect(weightsSha256).toBe(calm.weights.sha256);
      }),
      { numRuns: 80 },
    );
  });

  it("each update trains what Algorithm 1 says, with the operator's unfreezings", () => {
    fc.assert(
      fc.property(interleavings(anyCommands), fc.constantFrom(...STARTS), (actions, start) => {
        const run = disturb([LATEST[0]!, start], actions);
        const k = run.state.interval!.k;
        const unfreezes = unfreezesOf(run.state);
        const first = startOf(run.state.config.intervention);
        for (const [update, { trainable }] of run.trained) {
          expect(trainable).toEqual(literalTrainable(update, k, unfreezes, first));
        }
        expect(run.trained.size).toBe(60);
        // A boundary is measured before anything of its update happens, and point 0 with all blocks frozen.
        const points = run.state.signal.series["probe/fisher_trace"]!;
        for (const { update } of points) {
          const before = update === first ? ["head"] : literalTrainable(update - 1, k, unfreezes, first);
          expect(run.measuredUnder.get(update)).toEqual(before);
        }
        expect(points.at(0)!.update).toBe(first);
      }),
      { numRuns: 50 },
    );
  });

  it("in the W updates after its release a block's rate is times i / W, and no other block's is", () => {
    const warmups = fc.integer({ min: 2, max: 40 });
    fc.assert(
      fc.property(interleavings(anyCommands), fc.constantFrom(...STARTS), warmups, (actions, start, W) => {
        const run = disturb([LATEST[0]!, start, `intervention.release_warmup=${W}`], actions);
        const first = startOf(run.state.config.intervention);
        const trainable = (update: number): string[] =>
          literalTrainable(update, run.state.interval!.k, unfreezesOf(run.state), first);
        const ages = new Map<string, number>();
        for (let update = 1; update <= 60; update += 1) {
          // Where blocks are frozen, one may be released at once.
          const before = update === first ? ["head"] : trainable(update - 1);
          const released = update < first ? [] : trainable(update).filter((block) => !before.includes(block));
          for (const block of [...ages.keys(), ...released]) ages.set(block, (ages.get(block) ?? 0) + 1);
          const ramps = [...ages].filter(([, i]) => i < W).map(([block, i]) => [block, i / W] as const);
          expect(run.trained.get(update)!.ramps).toEqual(Object.fromEntries(ramps));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("its journal gives the same state and the same commands again", () => {
    fc.assert(
      fc.property(settings, interleavings(anyCommands), (overrides, actions) => {
        const run = disturb(overrides, actions);
        expect(verifyJournal(onDisk(run.records)).state).toEqual(run.state);
        expect(replayJournal(onDisk(run.records))).toEqual(run.state);
      }),
      { numRuns: 40 },
    );
  });

  it("every operator's request is answered, and once", () => {
    fc.assert(
      fc.property(settings, interleavings(anyCommands), (overrides, actions) => {
        const { records } = disturb(overrides, actions);
        const asked = records.flatMap(({ event }) => (event.type === "operator/requested" ? [event.id] : []));
        const answered = records.flatMap(({ decisions = [] }) =>
          decisions.flatMap((one) =>
            one.type === "operator/applied" || one.type === "operator/refused" ? one.id : [],
          ),
        );
        expect(answered.sort()).toEqual(asked.sort());
      }),
      { numRuns: 80 },
    );
  });

  it("asking the journal with the run's own tau and epsilon finds the k that was decided online", () => {
    fc.assert(
      fc.property(interleavings(harmlessCommands), fc.constantFrom(...STARTS), (actions, start) => {
        const { state } = disturb([LATEST[0]!, "probe.until=end", start], actions);
        const { tau, epsilon } = detectorRule(state.config);
        expect(state.interval).toMatchObject({ source: "online" });
        expect(askWhatIf(state, { metric: "fisher_trace", tau, epsilon }).kOnline).toBe(state.interval!.k);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a request that meets a change on its way", () => {
  const runs = [
    { name: "found online", overrides: ["intervention.k_max=40"] },
    { name: "as soon as it starts", overrides: ["intervention.start=13", "intervention.k=1"] },
  ];
  const later = ["checkpoint", "evaluate"] as const;
  const cases = runs.flatMap((run) => later.map((verb) => ({ ...run, verb })));

  it.each(cases)("freezes and releases each block once, wherever it stands: $name, $verb", ({ overrides, verb }) => {
    const calm = disturb(overrides, []);
    for (let before = 1; before <= MOST_WORK; before += 1) {
      const run = disturb(overrides, [
        { do: "work", times: before },
        { do: "request", request: { verb: "pause" } },
        { do: "work", times: 1 },
        { do: "request", request: { verb } },
      ]);
      expect({ before, weights: run.state.weights.sha256 }).toEqual({ before, weights: calm.state.weights.sha256 });
      expect(run.state.operator.orders).toEqual([]);
    }
  });

  it.each(runs)("the same while a worker reads what it is told in its own time: $name", ({ overrides }) => {
    const calm = disturb(overrides, []);
    for (let before = 1; before <= MOST_WORK; before += 1) {
      const run = disturb(overrides, [
        { do: "work", times: before },
        { do: "tell" },
        { do: "request", request: { verb: "evaluate" } },
        { do: "tell" },
        { do: "request", request: { verb: "pause" } },
        { do: "workAlone", times: 2 },
        { do: "request", request: { verb: "checkpoint" } },
      ]);
      expect({ before, weights: run.state.weights.sha256 }).toEqual({ before, weights: calm.state.weights.sha256 });
      expect(run.state.operator.orders).toEqual([]);
    }
  });
});

describe("an operator's unfreezing in the last long grant", () => {
  it("survives the worker's death as if it had been asked for in advance", () => {
    const place = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 3 }), ([before, between], lost) => {
        const overrides = ["intervention.k=30", "probe.until=decision", "checkpoint.every=1000"];
        const run = disturb(overrides, [
          { do: "work", times: before },
          { do: "workAlone", times: 3 },
          { do: "request", request: { verb: "unfreeze" } },
          { do: "work", times: between },
          { do: "die", lost },
        ]);
        expect(run.state.operator.changes).toHaveLength(1);
        expect(run.state.weights.sha256).toBe(undisturbed(overrides, run).state.weights.sha256);
      }),
      { numRuns: 40 },
    );
  });
});
