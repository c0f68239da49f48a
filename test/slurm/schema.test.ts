import { describe, expect, it } from "vitest";
import { slurmSchema } from "../../src/slurm/schema.js";

describe("the `slurm` section", () => {
  it("says nothing that was not said", () => {
    expect(slurmSchema.parse({})).toEqual({ setup: [], extra: [], export: [] });
  });

  it.each([30, "30", "12:00:00", "1-00:00:00", "2-12", "UNLIMITED"])("takes the time %s", (time) => {
    expect(slurmSchema.parse({ time }).time).toBe(time);
  });

  it.each<[string, unknown]>([
    ["time", "12h"],
    ["time", 0],
    ["partition", "gpu long"],
    ["partition", 'gpu"'],
    ["setup", ["module load cuda\nrm -rf /"]],
    ["extra", ["--qos=a\n#SBATCH --account=b"]],
    ["constraint", "a\nb"],
    ["export", ["KEY=secret"]],
    ["array_parallelism", 0],
    ["gpus_per_node", 0],
    ["nodes", 2],
  ])("refuses %s: %j", (key, value) => {
    expect(slurmSchema.safeParse({ [key]: value }).success).toBe(false);
  });
});
