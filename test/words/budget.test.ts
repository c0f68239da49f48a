import { describe, expect, it } from "vitest";
import { chooseEvery } from "../../src/core/probe-budget.js";
import { composeResults } from "../../src/reading/results.js";
import { describeBudget, describeChoice, describeDropped } from "../../src/words/budget.js";
import { createPlainLines } from "../../src/words/plain.js";
import { summary } from "../../src/words/summary.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "../support/simulated-run.js";

const cost = { secondsPerPoint: 0.5, secondsPerUpdate: 0.1, points: 2, updates: 10 };

describe("describeChoice", () => {
  it("says what was chosen, with the numbers behind it", () => {
    expect(describeChoice(chooseEvery(10, 0.1, cost, null))).toBe(
      "10 %: measuring takes 50 % of training at every = 10, so every = 50: 10 %",
    );
  });

  it("says that nothing had to change", () => {
    expect(describeChoice(chooseEvery(10, 0.6, cost, null))).toBe(
      "60 %: measuring takes 50 % of training at every = 10, which stays",
    );
  });

  it("says why the budget cannot be kept, and what would", () => {
    expect(describeChoice(chooseEvery(10, 0.1, cost, 25))).toBe(
      "10 % cannot be kept: measuring takes 50 % of training at every = 10, 25 % at 20; every = 20 is the most " +
        "that leaves the points of a decision (25 updates apart at most); fewer `probe.points` or metrics, a later " +
        "`intervention.k_max` or a longer training would keep it",
    );
  });
});

it("lists the points that are left out", () => {
  expect(describeDropped([])).toBe("");
  expect(describeDropped([10])).toBe("1 point left out, at update 10");
  expect(describeDropped([10, 20])).toBe("2 points left out, at updates 10, 20");
});

describe("a run with a budget", () => {
  const config = simulatedConfig("intervention.k_max=60", "probe.budget=0.1");
  const begin = (): SimulatedRun => new SimulatedRun(config, trainingOf(config, { cost: { update: 1, point: 0.5 } }));

  it("shows share and choice beside what measuring takes", () => {
    const run = begin().until(({ progress }) => progress.frontier >= 1);
    expect(describeBudget(run.state)).toBe(" of 10 %");
    expect(describeBudget(run.until(({ progress }) => progress.frontier >= 12).state)).toBe(" of 10 %, every 6");
    expect(describeBudget(new SimulatedRun(simulatedConfig()).state)).toBe("");
  });

  it("says in a plain line what was chosen and left out, and in the summary what it came to", () => {
    const run = begin().finish();
    const lines = createPlainLines();
    const plain = run.records.flatMap((record) => lines(record, run.state)).join("\n");
    expect(plain).toContain(
      "update 4      decision   budget 10 %: measuring takes 25 % of training at every = 2, so every = 6: 8.3 %; 2 points left out, at updates 2, 4",
    );
    expect(plain).toContain("bit-identity is no longer promised: `probe.budget` chose every = 6 by seconds");
    const text = summary(composeResults(run.state, 1), { runFolder: "runs/r", state: run.state, color: false });
    expect(text.replaceAll(/\s+/g, " ")).toMatch(
      /budget 10 %: .* so every = 6: 8.3 % .*in all, the first measurement included 2 points left out, at updates 2, 4/,
    );
    expect(text).toMatch(/signals +every 6 updates/);
  });

  it("says that it ended before there was anything to choose by", () => {
    const run = begin().until(({ progress }) => progress.frontier >= 2);
    const text = summary(composeResults(run.state, 1), { runFolder: "runs/r", state: run.state, color: false });
    expect(text.replaceAll(/\s+/g, " ")).toContain(
      "budget 10 %: not applied, the run ended before three measurements were timed",
    );
  });
});
