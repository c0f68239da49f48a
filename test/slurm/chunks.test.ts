import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunksOf, DEFAULT_LIMITS, limitsOf } from "../../src/slurm/chunks.js";

describe("limits", () => {
  it("are what the cluster says, the smallest of them", () => {
    const printed = [
      "Configuration data as of 2026-11-30T18:43:37",
      "MaxArraySize            = 501",
      "MaxJobCount             = 10000",
      "SchedulerParameters     = bf_continue,max_array_tasks=200,defer",
    ].join("\n");
    expect(limitsOf(printed)).toEqual({ maxArraySize: 501, maxTasks: 200 });
    expect(limitsOf(printed.replace(",max_array_tasks=200", ""))).toEqual({ maxArraySize: 501, maxTasks: 10_000 });
    expect(limitsOf("SchedulerParameters     = (null)")).toEqual(DEFAULT_LIMITS);
  });
});

describe("chunks", () => {
  it("are one where the tasks fit, with indices from 0", () => {
    expect(chunksOf(1001, 8, DEFAULT_LIMITS)).toEqual([{ offset: 0, size: 1001, parallelism: 8, waits: false }]);
    expect(chunksOf(1002, 8, DEFAULT_LIMITS)).toEqual([
      { offset: 0, size: 501, parallelism: 4, waits: false },
      { offset: 501, size: 501, parallelism: 4, waits: false },
    ]);
  });

  it("come one after another where fewer tasks may run at a time than there are arrays", () => {
    const chunks = chunksOf(10, 2, { maxArraySize: 4, maxTasks: null });
    expect(chunks.map(({ size, parallelism, waits }) => [size, parallelism, waits])).toEqual([
      [4, 2, false],
      [3, 2, true],
      [3, 2, true],
    ]);
  });

  it("are refused by a cluster without job arrays", () => {
    expect(() => chunksOf(2, null, { maxArraySize: 0, maxTasks: null })).toThrow("allows no job arrays");
  });

  it("cover every task once, each within the limits, and run no more at a time than was asked", () => {
    const limit = fc.integer({ min: 1, max: 60 });
    const some = fc.option(limit, { nil: null });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), some, limit, some, (tasks, parallelism, maxArraySize, maxTasks) => {
        const chunks = chunksOf(tasks, parallelism, { maxArraySize, maxTasks });
        const covered = chunks.flatMap(({ offset, size }) =>
          Array.from({ length: size }, (_, index) => offset + index),
        );
        expect(covered).toEqual(Array.from({ length: tasks }, (_, index) => index));
        for (const { size } of chunks) expect(size).toBeLessThanOrEqual(Math.min(maxArraySize, maxTasks ?? Infinity));
        if (parallelism === null) return;
        const atOnce = chunks.every(({ waits }, index) => index === 0 || waits)
          ? Math.max(...chunks.map((chunk) => chunk.parallelism!))
          : chunks.reduce((sum, chunk) => sum + chunk.parallelism!, 0);
        expect(atOnce).toBeLessThanOrEqual(parallelism);
        expect(chunks.every((chunk) => chunk.parallelism! >= 1)).toBe(true);
      }),
    );
  });
});
