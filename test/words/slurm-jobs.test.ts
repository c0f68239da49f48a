import { expect, it } from "vitest";
import { describeJobs } from "../../src/words/slurm-jobs.js";

it("counts tasks by what the scheduler says, and says why some wait", () => {
  const states = new Map([
    ["12_0", { state: "RUNNING", reason: null }],
    ["12_1", { state: "RUNNING", reason: null }],
    ["12_2", { state: "PENDING", reason: "Resources" }],
    ["120_0", { state: "NODE_FAIL", reason: "None" }],
    ["13", { state: "COMPLETED", reason: null }],
  ]);
  expect(describeJobs(["12", "13", "14"], states)).toBe(
    "job 12: 2 running, 1 pending (Resources)\njob 13: 1 completed",
  );
});
