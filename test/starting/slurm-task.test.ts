import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { listenForStops, timeOf } from "../../src/starting/slurm-task.js";

const SIGNALS = ["SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const;
const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
afterEach(() => {
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)!.includes(listener)) process.removeListener(signal, listener);
    }
  }
});

/** How often it was told to stop when these came, one after another. */
function stopsOf(env: NodeJS.ProcessEnv, ...signals: (typeof SIGNALS)[number][]): [number, boolean] {
  let stops = 0;
  const signalled = listenForStops(env, () => (stops += 1));
  const added = SIGNALS.map((signal) => [signal, process.listeners(signal).slice(before.get(signal)!.length)] as const);
  // To what was added alone: whoever runs these tests listens too.
  for (const signal of signals) for (const [of, listeners] of added) if (of === signal) listeners.at(-1)?.(signal);
  return [stops, signalled()];
}

describe("signals to a sweep", () => {
  const task = { SLURM_JOB_ID: "812" };

  it("of Slurm's are one order, however many come; Ctrl-C may hurry it", () => {
    expect(stopsOf(task, "SIGCONT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGTERM")).toEqual([1, true]);
    expect(stopsOf(task, "SIGTERM", "SIGINT")).toEqual([2, true]);
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT"] as const) {
      expect(stopsOf(task, signal)).toEqual([1, true]);
    }
    expect(stopsOf(task)).toEqual([0, false]);
  });

  it("at a terminal each say stop, and one that goes on there is not stopped", () => {
    expect(stopsOf({}, "SIGINT", "SIGINT")).toEqual([2, true]);
    expect(stopsOf({}, "SIGTERM", "SIGTERM")).toEqual([2, true]);
    expect(stopsOf({}, "SIGCONT")).toEqual([0, false]);
  });
});

describe("the time of a sweep", () => {
  it("is a task's, less what its end takes: never more than a quarter", () => {
    const bin = mkdtempSync(join(tmpdir(), "thawline-task-"));
    try {
      writeFileSync(
        join(bin, "squeue"),
        '#!/bin/sh\ncase "$2" in\n*=1) echo "N/A|1:00";;\n*) echo "N/A|12:00:00";;\nesac\n',
      );
      chmodSync(join(bin, "squeue"), 0o755);
      const task = (id: string): NodeJS.ProcessEnv => ({ PATH: `${bin}:/bin:/usr/bin`, SLURM_JOB_ID: id });
      expect(timeOf(task("1")).stopSeconds).toBe(15);
      expect(timeOf(task("2")).stopSeconds).toBe(120);
      expect(timeOf(task("2")).secondsLeft!()).toBeCloseTo(43_200, 0);
      expect(timeOf({})).toEqual({});
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});
