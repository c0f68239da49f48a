import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jobStates } from "../../src/slurm/job-states.js";

let bin: string;
const path = process.env["PATH"];
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "thawline-states-"));
  process.env["PATH"] = `${bin}:/usr/bin:/bin`;
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(bin, { recursive: true });
});

function program(name: string, lines: readonly string[], exitCode = 0): void {
  writeFileSync(join(bin, name), `#!/bin/sh\ncat <<'END'\n${lines.join("\n")}\nEND\nexit ${exitCode}\n`);
  chmodSync(join(bin, name), 0o755);
}

const told = async (...ids: string[]): Promise<unknown> => Object.fromEntries(await jobStates(ids));

describe("states of jobs", () => {
  it("are those of the queue, and of the accounts for what it has forgotten", async () => {
    program("squeue", ["810_3|PENDING|JobArrayTaskLimit", "810_2|RUNNING|None", "950|RUNNING|None"]);
    program("sacct", [
      "810_0|CANCELLED by 1000|None",
      "810_1|TIMEOUT|",
      "810_2|PENDING|None",
      "810_[4-9]|PENDING|Priority",
      "700|COMPLETED|None",
    ]);
    expect(await told("810", "950", "700")).toEqual({
      "810_0": { state: "CANCELLED", reason: null },
      "810_1": { state: "TIMEOUT", reason: null },
      "810_2": { state: "RUNNING", reason: null },
      "810_3": { state: "PENDING", reason: "JobArrayTaskLimit" },
      "950": { state: "RUNNING", reason: null },
      "700": { state: "COMPLETED", reason: null },
    });
  });

  it("are told where either is missing, or refuses", async () => {
    expect(await told("810")).toEqual({});
    program("sacct", ["Slurm accounting storage is disabled"], 1);
    program("squeue", ["810_2|RUNNING|None"]);
    expect(await told("810")).toEqual({ "810_2": { state: "RUNNING", reason: null } });
    program("squeue", ["slurm_load_jobs error: Invalid job id specified"], 1);
    program("sacct", ["810_2|COMPLETED|None"]);
    expect(await told("810")).toEqual({ "810_2": { state: "COMPLETED", reason: null } });
  });

  it("of nothing are asked of nobody", async () => {
    program("squeue", ["810_2|RUNNING|None"]);
    expect(await told()).toEqual({});
  });
});
