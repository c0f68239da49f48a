import { describe, expect, it } from "vitest";
import { describeListedRun, describeListedSweep } from "../../src/words/sweep-list.js";
import { watchedRun, watchedSweep } from "../support/watched-sweeps.js";

describe("a listed sweep", () => {
  it("is how many runs are done, what needs a look, its scale, and what the scheduler says", () => {
    const runs = [
      watchedRun("standard", 0, "finished"),
      watchedRun("standard", 1, "taken"),
      watchedRun("online", 0, "failed"),
      watchedRun("online", 1, "pending"),
    ];
    const jobs = { "7_0": { state: "TIMEOUT", reason: null } };
    expect(describeListedSweep(watchedSweep(2, 2, { runs, jobs, scale: "small" }))).toBe(
      "sweep     2 of 4 done, 1 failed  (scale `small`); job 7: 1 timeout",
    );
  });
});

describe("a listed run of a sweep", () => {
  it("has its standing, k, score, or why it failed on one line", () => {
    const sweep = watchedSweep(1, 1, { score: "ood/mean" });
    const finished = watchedRun("online", 3, "finished", {
      k: { value: 57, source: "online" },
      scores: { "ood/mean": 0.512 },
    });
    expect(describeListedRun(finished, sweep)).toMatch(/^online seed 3 +finished +k 57 \(online\) +ood\/mean 51.20 %$/);
    const failed = watchedRun("online", 4, "failed", {
      failure: "line one\nline two",
      k: null,
      scores: null,
    });
    expect(describeListedRun(failed, sweep)).toMatch(/^online seed 4 +failed +k - +line one.+line two$/);
  });
});
