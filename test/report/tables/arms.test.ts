import { describe, expect, it } from "vitest";
import { armsOf, baselineOf, bySeed, describeAxes, describeRuns } from "../../../src/report/tables/arms.js";
import { recordedSweep, runWith } from "../../support/recorded-sweep.js";

const sweep = recordedSweep("mnist-width8");

describe("arms of a sweep", () => {
  it("are its conditions, in its order, with their runs by seed", () => {
    const turned = { ...sweep, runs: sweep.runs.toReversed() };
    expect(armsOf(turned).map(({ label }) => label)).toEqual(sweep.conditions);
    expect(armsOf(turned)[0]!.planned.map(({ seed }) => seed)).toEqual([0, 1, 2]);
  });

  it("are several where a condition has axes, named by the last part of their keys", () => {
    const runs = sweep.runs.map((run) => ({ ...run, axes: { "intervention.k": run.seed === 0 ? 5 : 10 } }));
    const arms = armsOf({ ...sweep, runs });
    expect(arms.slice(0, 2).map(({ label, planned }) => [label, planned.length])).toEqual([
      ["standard k=5", 1],
      ["standard k=10", 2],
    ]);
    expect(describeAxes({ "a.k": 1, "b.k": 2, "c.rate": null })).toBe("a.k=1 b.k=2 rate=null");
  });

  it("say no axis along which the whole sweep has one value, but for a k that was tried", () => {
    const runs = sweep.runs.map((run) => ({ ...run, axes: { "train.learning_rate": 0.01, "intervention.k": 5 } }));
    expect(armsOf({ ...sweep, runs })[0]!.label).toBe("standard k=5");
  });

  it("count the scores of runs that trained to their end only", () => {
    const runs = sweep.runs.map((run) => (run.seed === 1 ? runWith(run, {}, { outcome: "stopped" }) : run));
    const [standard] = armsOf({ ...sweep, runs });
    expect([...bySeed(standard!, "ood/mean").keys()]).toEqual([0, 2]);
    expect(describeRuns(standard!)).toBe("2 of 3: 1 stopped");
  });

  it("say what became of every run that is missing", () => {
    const standings = ["failed", "pending", "pending"] as const;
    const runs = sweep.runs.map((run) => ({ ...run, results: null, standing: standings[run.seed]! }));
    expect(describeRuns(armsOf({ ...sweep, runs })[0]!)).toBe("0 of 3: 1 failed, 2 pending");
  });

  it("are compared with the baseline at the same values of its axes", () => {
    const rate = "train.learning_rate";
    const runs = [0.01, 0.001].flatMap((value) =>
      sweep.runs.map((run) => ({
        ...run,
        axes: { [rate]: value, ...(run.condition === "fixed-210" ? { "intervention.k": 210 } : {}) },
      })),
    );
    const arms = armsOf({ ...sweep, runs });
    const fixed = arms.filter(({ condition }) => condition === "fixed-210");
    expect(fixed.map((arm) => baselineOf(arm, arms)?.axes)).toEqual([{ [rate]: 0.01 }, { [rate]: 0.001 }]);
    expect(baselineOf(arms[0]!, arms)).toBeNull();
  });

  it("have no baseline where two fit equally well", () => {
    const runs = sweep.runs.map((run) => (run.condition === "standard" ? { ...run, axes: { x: run.seed } } : run));
    const arms = armsOf({ ...sweep, runs });
    expect(baselineOf(arms.at(-1)!, arms)).toBeNull();
  });
});
