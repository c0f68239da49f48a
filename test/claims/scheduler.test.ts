import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HasEnded } from "../../src/claims/scheduler.js";

let bin: string;
const path = process.env["PATH"];
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "thawline-scheduler-"));
  process.env["PATH"] = `${bin}:${path}`;
  // What it was told before serves for a while: each test begins without.
  vi.resetModules();
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(bin, { recursive: true });
});

async function hasEnded(): Promise<HasEnded> {
  return (await import("../../src/claims/scheduler.js")).slurmHasEnded;
}

/** A program that prints this, and notes that it was called and how. */
function program(name: string, printed: string, exitCode = 0): void {
  const script = `#!/bin/sh\necho "$@" >> ${bin}/${name}.calls\ncat <<'END'\n${printed}\nEND\nexit ${exitCode}\n`;
  writeFileSync(join(bin, name), script);
  chmodSync(join(bin, name), 0o755);
}

function cluster(rows: readonly string[]): void {
  program("scontrol", "Configuration data as of now\nClusterName             = blue\nMaxArraySize = 1001");
  program("squeue", rows.join("\n"));
}

const job = { cluster: "blue", id: "812", task: "810_2", restarts: 1 };

it.each<[string, string[], boolean]>([
  ["runs", ["812      RUNNING     1"], false],
  ["is suspended", ["812      SUSPENDED   1"], false],
  ["is being ended", ["812      COMPLETING  1"], false],
  ["is requeued, and its processes are still being ended", ["812      COMPLETING  2"], false],
  ["waits to be run again", ["812      PENDING     2"], true],
  ["runs in its next life", ["812      RUNNING     2"], true],
  ["was ended", ["812      TIMEOUT     1"], true],
  ["is forgotten", ["810      RUNNING     1", "8120     RUNNING     1"], true],
])("tells of a job that %s", async (_, rows, expected) => {
  cluster(rows);
  expect((await hasEnded())(job)).toBe(expected);
});

it("asks once for all jobs of this user, hidden ones and ended ones too", async () => {
  cluster(["812 RUNNING 1"]);
  const ask = await hasEnded();
  expect([ask(job), ask({ ...job, id: "7" }), ask({ ...job, id: "8" })]).toEqual([false, true, true]);
  const calls = readFileSync(join(bin, "squeue.calls"), "utf8").trim().split("\n");
  expect(calls).toHaveLength(1);
  expect(calls[0]).toContain(`--all --user=${process.getuid!()} --states=all`);
});

it("knows nothing of jobs of another cluster, or of none", async () => {
  cluster([]);
  const ask = await hasEnded();
  expect(ask({ ...job, cluster: "red" })).toBeNull();
  expect(ask({ ...job, cluster: "" })).toBeNull();
});

it("says nothing where the scheduler does not answer", async () => {
  cluster([]);
  program("squeue", "", 1);
  expect((await hasEnded())(job)).toBeNull();
});

it("says nothing where there is no scheduler", async () => {
  process.env["PATH"] = bin;
  expect((await hasEnded())(job)).toBeNull();
});
