import { describe, expect, it } from "vitest";
import { mayTrainAs, trainsAs } from "../../src/sweep/equal-training.js";
import type { PlannedRun } from "../../src/sweep/plan.js";
import { planned } from "./sweep-file.js";

const PLAN = await planned(`
base: quickstart
set: { train.updates: 600 }
conditions:
  standard: { set: { intervention.kind: none } }
  online: {}
  late: { set: { intervention.k_max: 50 } }
  k100: { set: { intervention.k: 100 } }
  k105: { set: { intervention.k: 105 } }
  measured: { set: { intervention.k: 100, probe.until: end } }
  fewer-tests: { set: { intervention.k: 100, evaluate.images_per_corruption: 10 } }
  head-then-full: { set: { intervention: { kind: head_then_full, k: 100 } } }
seeds: 2
`);

const run = (condition: string, seed = 0): PlannedRun =>
  PLAN.runs.find((found) => found.condition === condition && found.seed === seed)!;

describe("a run with a fixed k", () => {
  it("trains as the online run that decided that k, and as one that was given it", () => {
    expect(trainsAs(run("k100"), run("online"), 100)).toBe(true);
    expect(trainsAs(run("k100"), run("late"), 100)).toBe(true);
    expect(trainsAs(run("k100"), run("measured"), 100)).toBe(true);
  });

  it.each<[string, PlannedRun, PlannedRun, number | null]>([
    ["with another k", run("k105"), run("online"), 100],
    ["with another seed", run("k100"), run("online", 1), 100],
    ["of another kind", run("head-then-full"), run("online"), 100],
    ["that is tested on other images", run("fewer-tests"), run("online"), 100],
    ["that is to show signals which the other did not measure", run("measured"), run("k100"), 100],
    ["that is to show them for longer", run("measured"), run("online"), 100],
    ["that has no k", run("standard"), run("online"), 100],
    ["that is itself", run("k100"), run("k100"), 100],
  ])("does not train as one %s", (_, one, source, k) => {
    expect(trainsAs(one, source, k)).toBe(false);
  });

  it("never is one that looks for its k, which has a series of its own to show", () => {
    expect(trainsAs(run("online"), run("k100"), 100)).toBe(false);
    expect(trainsAs(run("late"), run("online"), 100)).toBe(false);
  });
});

describe("a run that may turn out to be trained already", () => {
  it("has a k on which a decision can fall", () => {
    expect(mayTrainAs(run("k100"), run("online"))).toBe(true);
    expect(mayTrainAs(run("k105"), run("online"))).toBe(false);
  });

  it("has none later than the latest decision", () => {
    expect(mayTrainAs(run("k100"), run("late"))).toBe(false);
  });

  it("is not one that differs otherwise", () => {
    expect(mayTrainAs(run("head-then-full"), run("online"))).toBe(false);
    expect(mayTrainAs(run("standard"), run("online"))).toBe(false);
    expect(mayTrainAs(run("k100"), run("k105"))).toBe(false);
  });
});
