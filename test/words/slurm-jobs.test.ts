import { expect, it } from "vitest";
import { describeJobs } from "../../src/words/slurm-jobs.js";

it("counts tasks by what the scheduler says, and says why some wait", () => {
  const states = {
    "12_0": { state: "RUNNING", reason: null },
    "12_1": { state: "RUNNING", reason: null },
    "12_2": { state: "PENDING", reason: "Resources" },
    "120_0": { state: "NODE_FAIL", reason: "NodeDown" },
    "13": { state: "COMPLETED", reason: null },
  };
  expect(new Set(describeJobs(states))).toEqual(
    new Set(["job 12: 2 running, 1 pending (Resources)", "job 120: 1 node fail", "job 13: 1 completed"]),
  );
  expect(describeJobs({})).toEqual([]);
});
