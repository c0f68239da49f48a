import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claim, holderOf } from "../../src/claims/claim.js";
import { slurmHasEnded } from "../../src/claims/scheduler.js";
import { jobStates } from "../../src/slurm/job-states.js";
import { slurmSchema } from "../../src/slurm/schema.js";
import { submit } from "../../src/slurm/submit.js";
import { NO_SLURM, OneNodeSlurm, until, withReason } from "../support/one-node-slurm.js";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/processes/${name}.mjs`, import.meta.url));

describe.skipIf(NO_SLURM !== null)(withReason("a task of a real Slurm"), () => {
  let slurm: OneNodeSlurm;
  let root: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "thawline-tasks-"));
    slurm = await OneNodeSlurm.open();
  });
  afterAll(async () => {
    delete process.env["TASK_DOES"];
    await slurm.close();
    expect(slurm.processes()).toEqual([]);
    rmSync(root, { recursive: true });
  });

  async function begin(what: string, tasks = 1): Promise<{ job: string; printed: (task: number) => string }> {
    process.env["TASK_DOES"] = what;
    const settings = slurmSchema.parse({ export: ["TASK_DOES"], time: 10 });
    const folder = mkdtempSync(join(root, "sweep-"));
    const { jobIds } = await submit({ folder, tasks, settings, command: [process.execPath, fixture("slurm-task")] });
    const job = jobIds[0]!;
    const printed = (task: number): string => {
      const path = join(folder, "slurm", `${job}_${task}.out`);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    return { job, printed };
  }

  const stateOf = async (job: string, task: number): Promise<string> =>
    (await jobStates([job])).get(`${job}_${task}`)?.state ?? "";

  it("is requeued alone, goes on below what it printed, and had the signals that end it", async () => {
    const { job, printed } = await begin("requeue", 2);
    await until(() => printed(0).includes("signal SIGTERM") && printed(1).includes("life 0"));
    expect(printed(0)).toContain("signal SIGCONT");
    expect(await stateOf(job, 1)).toBe("RUNNING");
    await slurm.startAgain(`${job}_0`);
    await until(() => printed(0).includes("life 1"));
    expect(printed(0).match(/^life \d/gm)).toEqual(["life 0", "life 1"]);
    expect(printed(1).match(/^life \d/gm)).toEqual(["life 0"]);
    // What has not ended by then would be cancelled as well.
    await until(async () => (await stateOf(job, 0)) === "COMPLETED");
    slurm.ask("scancel", job);
    await until(async () => (await stateOf(job, 1)) === "CANCELLED");
  });

  it("that is cancelled, or comes to its end, is told so and stands so", async () => {
    const { job, printed } = await begin("stay", 2);
    await until(() => [0, 1].every((task) => printed(task).includes("variables")));
    slurm.ask("scancel", `${job}_0`);
    slurm.ask("scontrol", "update", `JobId=${job}_1`, "EndTime=now");
    await until(async () => (await stateOf(job, 0)) === "CANCELLED");
    await until(async () => (await stateOf(job, 1)) === "TIMEOUT");
    for (const task of [0, 1]) expect(printed(task)).toContain("signal SIGTERM");
  });

  it("that has ended holds no claim, whichever host it was on", async () => {
    const folder = join(root, "claimed");
    const words = [fixture("take-claim"), "node1", "100", "300000"];
    const child = spawn("srun", ["--quiet", process.execPath, ...words], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.write(`claim ${folder}\n`);
    await until(() => holderOf(folder) !== null);
    const { job } = holderOf(folder)!;
    expect(job).toMatchObject({ cluster: "onenode", task: null, restarts: 0 });
    expect(slurmHasEnded(job!)).toBe(false);
    expect(claim(folder)).toBeNull();
    slurm.ask("scancel", "--signal=KILL", job!.id);
    await once(child, "exit");
    // Its file says nothing of its end: only the scheduler does, once a heartbeat was missed.
    await until(() => claim(folder) !== null);
    expect(slurmHasEnded(job!)).toBe(true);
  });
});
