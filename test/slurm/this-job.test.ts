import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { comeBack, requeueSelf, secondsLeft } from "../../src/slurm/this-job.js";

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "thawline-job-"));
  // What it was told before serves for a while: each test begins without.
  vi.resetModules();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(bin, { recursive: true });
});

function program(name: string, lines: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\necho "$@ $SLURM_TIME_FORMAT" >> ${bin}/${name}.calls\n${lines}\n`);
  chmodSync(join(bin, name), 0o755);
}

const calls = (name: string): string[] =>
  readFileSync(join(bin, `${name}.calls`), "utf8")
    .trim()
    .split("\n");
const task = (): NodeJS.ProcessEnv => ({
  PATH: `${bin}:/usr/bin:/bin`,
  SLURM_JOB_ID: "812",
  SLURM_ARRAY_JOB_ID: "810",
  SLURM_ARRAY_TASK_ID: "2",
});
const timeLeft = async (env: NodeJS.ProcessEnv): Promise<number | null> =>
  (await import("../../src/slurm/this-job.js")).timeLeft(env);

describe("what `squeue` says of a job's end", () => {
  it.each<[string, number | null | undefined]>([
    ["1796064571|1-02:03:04", 571],
    ["1796064571|9:31", 571],
    ["1796064571|0:22", 22],
    ["1796064571|UNLIMITED", 571],
    ["NONE|UNLIMITED", null],
    ["N/A|1-02:03:04", 93_784],
    ["N/A|2:03:04", 7384],
    ["N/A|59", 59],
    ["2026-11-30T18:42:31|0:59", 59],
    ["N/A|INVALID", undefined],
    ["", undefined],
  ])("%j is %s", (printed, seconds) => {
    expect(secondsLeft(`${printed}\n`, 1_796_064_000)).toBe(seconds);
  });
});

describe("the time that is left", () => {
  it("is asked of this task alone, and carried on for a while", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    program("squeue", 'echo "N/A|1:00:00"');
    expect(await timeLeft(task())).toBe(3600);
    vi.advanceTimersByTime(200_000);
    expect(await timeLeft(task())).toBeCloseTo(3400, 3);
    expect(calls("squeue")).toEqual(["--noheader --jobs=810_2 --format=%e|%L %s"]);
    // By then the limit may have been changed.
    vi.advanceTimersByTime(200_000);
    program("squeue", 'echo "N/A|5:00"');
    expect(await timeLeft(task())).toBe(300);
    // Nobody answers any more.
    program("squeue", "exit 1");
    vi.advanceTimersByTime(100_000);
    expect(await timeLeft(task())).toBeCloseTo(200, 3);
  });

  it("is the variable's where `squeue` does not answer, and nobody's outside a job", async () => {
    const end = String(Math.round(Date.now() / 1000) + 1000);
    expect(await timeLeft({ ...task(), PATH: bin, SLURM_JOB_END_TIME: end })).toBeGreaterThan(900);
    expect(await timeLeft({ ...task(), PATH: bin })).toBeNull();
    expect(await timeLeft({})).toBeNull();
  });
});

describe("a requeue", () => {
  it("is of this task alone", async () => {
    program("scontrol", "exit 0");
    await requeueSelf(task());
    expect(calls("scontrol")[0]).toMatch(/^requeue 810_2 *$/);
  });

  it("that is refused says why", async () => {
    program("scontrol", 'echo "Requested operation is presently disabled for job 810_2" >&2; exit 1');
    await expect(requeueSelf(task())).rejects.toThrow(
      "`scontrol requeue 810_2` failed: Requested operation is presently disabled for job 810_2",
    );
    await expect(requeueSelf({})).rejects.toThrow("this is no Slurm job");
  });
});

describe("a task that stops comes back", () => {
  const path = process.env["PATH"];
  afterEach(() => {
    process.env["PATH"] = path;
  });

  it.each<[string, string, boolean, boolean]>([
    ["since its time is nearly up, whatever is said", "", false, true],
    ["since a signal told it to, while it runs", "810_2|RUNNING|None", true, true],
    ["at its time limit", "810_2|COMPLETING|TimeLimit", true, true],
    ["not when it was cancelled", "810_2|COMPLETING|None", true, false],
    ["not when Slurm has requeued it already", "810_2|PENDING|BeginTime", true, false],
    ["not when nothing is known of it", "", true, false],
  ])("%s", async (_, row, bySignal, comes) => {
    process.env["PATH"] = task()["PATH"];
    program("squeue", `echo "${row}"`);
    program("scontrol", "exit 0");
    expect(await comeBack(task(), bySignal)).toBe(comes);
    expect(existsSync(join(bin, "scontrol.calls"))).toBe(comes);
  });

  it("not outside a job", async () => {
    expect(await comeBack({}, false)).toBe(false);
  });
});
