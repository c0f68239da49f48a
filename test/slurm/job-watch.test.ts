import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { JobWatch } from "../../src/slurm/job-watch.js";

let folder: string;
const path = process.env["PATH"];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-job-watch-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "slurm"));
  process.env["PATH"] = `${join(folder, "bin")}:/usr/bin:/bin`;
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});

const asked = (): number => readFileSync(join(folder, "asked"), "utf8").length;

function queueSays(line: string): void {
  const squeue = join(folder, "bin", "squeue");
  writeFileSync(squeue, `#!/bin/sh\nprintf x >> ${join(folder, "asked")}\necho '${line}'\n`);
  chmodSync(squeue, 0o755);
}

describe("what the scheduler says of a sweep", () => {
  it("is there once it has answered, and is asked for again after a minute", async () => {
    writeFileSync(join(folder, "slurm", "41.sbatch"), "");
    queueSays("41_0|PENDING|Resources");
    const watch = new JobWatch(folder);
    expect(watch.known(0)).toEqual({});
    await vi.waitFor(() => expect(watch.known(1)).toEqual({ "41_0": { state: "PENDING", reason: "Resources" } }));
    queueSays("41_0|RUNNING|None");
    expect(watch.known(59_999)["41_0"]?.state).toBe("PENDING");
    expect(asked()).toBe(1);
    await watch.ask(60_000);
    expect(watch.known(60_001)["41_0"]?.state).toBe("RUNNING");
    expect(asked()).toBe(2);
  });

  it("is nothing where nothing was submitted: nobody is asked", async () => {
    queueSays("7_0|RUNNING|None");
    const watch = new JobWatch(folder);
    await watch.ask(0);
    expect(watch.known(0)).toEqual({});
    expect(() => asked()).toThrow();
  });
});
