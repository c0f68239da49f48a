import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeResults } from "../../src/reading/results.js";
import { replayJournal, verifyJournal } from "../../src/journal/replay.js";
import type { JournalRecord } from "../../src/journal/format.js";
import type { MetricValue } from "../../src/protocol/messages.js";
import { anyCommands, checkInvariants, harmlessCommands, interleavings } from "./interleavings.js";
import { simulatedTextConfig, SimulatedRun, trainingOf, type Action } from "../support/simulated-run.js";

const LAST = 60;

/** A few scores, so that many are equal; a diverged model has none. */
const score: fc.Arbitrary<MetricValue> = fc.constantFrom(0, 0.25, 0.5, 0.5, { non_finite: "nan" } as const);
const scores = fc.array(score, { minLength: 1, maxLength: 12 });

const settings = fc.tuple(
  // Validations that meet checkpoints and points of the signal, and those that do not; at every update; at the end only.
  fc.constantFrom(...["9", "7", "5", "1", "60", "100"].map((every) => `evaluate.every=${every}`)),
  fc.constantFrom("checkpoint.every=7", "checkpoint.every=1", "checkpoint.every=25"),
  fc.constantFrom("checkpoint.keep=1", "checkpoint.keep=2"),
  fc.constantFrom("intervention.k=online", "intervention.k=5", "intervention.kind=none"),
);

type Scores = readonly MetricValue[];

function disturb(overrides: readonly string[], scored: Scores, actions: readonly Action[]): SimulatedRun {
  const config = simulatedTextConfig(...overrides);
  const training = trainingOf(config, { score: (step) => scored[step % scored.length]! });
  const run: SimulatedRun = new SimulatedRun(config, training, checkInvariants);
  for (const action of actions) {
    run.act(action);
    expect(run.missingPaths()).toEqual([]);
  }
  return run.finish();
}

/** The step of the highest score, the earliest of equal ones, of those that are looked at; null where none is a number. */
function bestStep({ state }: SimulatedRun, scored: Scores): number | null {
  const every = state.config.evaluate!.every!;
  const looked = Array.from({ length: LAST + 1 }, (_, step) => step).filter((s) => (s + 1) % every === 0 || s === LAST);
  const finite = looked.flatMap((step) => {
    const value = scored[step % scored.length];
    return typeof value === "number" ? [{ step, value }] : [];
  });
  const highest = Math.max(...finite.map(({ value }) => value));
  return finite.find(({ value }) => value === highest)?.step ?? null;
}

/** A run from update 1 on to its end, with nothing in between: the weights after each update of a disturbed one. */
function weightsAfter(run: SimulatedRun, step: number): string | undefined {
  return run.weightsAfter.get(step);
}

describe("whatever happens to a run with a development set", () => {
  it("it ends with the weights of the highest score, the earliest of equal ones, and tests those", () => {
    fc.assert(
      fc.property(settings, scores, interleavings(anyCommands), (overrides, scored, actions) => {
        const run = disturb(overrides, scored, actions);
        const best = bestStep(run, scored);
        const results = composeResults(run.state, 0);
        expect(results.outcome).toBe("finished");
        expect(results.best?.step ?? null).toBe(best);
        // Validated at update 1 the best weights may be those that no update has touched.
        if (best !== 0) expect(results.weights_sha256).toBe(weightsAfter(run, best ?? LAST));
        const tested = [...run.state.scores.evaluations].filter(
          ({ step, split }) => step === LAST && split === "in_dist",
        );
        expect(tested.map(({ values }) => values["accuracy"])).toEqual([1 - 1 / ((best ?? LAST) + 2)]);
      }),
      { numRuns: 150 },
    );
  });

  it("it chooses, and trains, as the undisturbed one does", () => {
    fc.assert(
      fc.property(settings, scores, interleavings(harmlessCommands), (overrides, scored, actions) => {
        const [run, calm] = [disturb(overrides, scored, actions).state, disturb(overrides, scored, []).state];
        expect(run.weights.best).toEqual(calm.weights.best);
        expect(run.scores.validations).toEqual(calm.scores.validations);
        expect(run.interval).toEqual(calm.interval);
        expect(run.weights.sha256).toBe(calm.weights.sha256);
        expect([...run.identityDropped]).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it("what its journal relies on is on the disk, and in the end nothing else of the best weights", () => {
    fc.assert(
      fc.property(settings, scores, interleavings(anyCommands), (overrides, scored, actions) => {
        const run = disturb(overrides, scored, actions);
        expect(run.missingPaths()).toEqual([]);
        const kept = run.paths.filter((path) => path.startsWith("best/"));
        expect(kept).toEqual(run.state.weights.best === null ? [] : [run.state.weights.best.path]);
      }),
      { numRuns: 80 },
    );
  });

  it("its journal gives the same state and the same commands again", () => {
    fc.assert(
      fc.property(settings, scores, interleavings(anyCommands), (overrides, scored, actions) => {
        const run = disturb(overrides, scored, actions);
        const records = JSON.parse(JSON.stringify(run.records)) as JournalRecord[];
        expect(verifyJournal(records).state).toEqual(run.state);
        expect(replayJournal(records)).toEqual(run.state);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a run that leaves its last weights", () => {
  it("is validated all the same, keeps nothing and restores nothing", () => {
    const run = new SimulatedRun(simulatedTextConfig("evaluate.keep=last")).finish();
    expect(run.state.scores.validations.map(({ step }) => step)).toEqual([8, 17, 26, 35, 44, 53, LAST]);
    expect(run.state.weights.best).toBeNull();
    expect(run.state.weights.sha256).toBe(run.weightsAfter.get(LAST));
    expect(composeResults(run.state, 0).best).toBeNull();
  });
});
