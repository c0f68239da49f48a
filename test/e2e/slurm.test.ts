import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { jobStates } from "../../src/slurm/job-states.js";
import { NO_SLURM, OneNodeSlurm, until, withReason } from "../support/one-node-slurm.js";

const CLI = resolve(import.meta.dirname, "../../dist/cli.js");

/** A network of width 4 on a few images of MNIST: seconds a run, and checkpoints now and then. */
const SWEEP = `
base: quickstart
set:
  model.width: 4
  data.verify_checksums: false
  data.max_train_examples: 2048
  data.max_test_examples: 200
  train.updates: 300
  train.batch_size: 32
  checkpoint.every: 20
  evaluate.ood: none
conditions:
  early: { set: { intervention.k: 20 } }
  middle: { set: { intervention.k: 40 } }
  late: { set: { intervention.k: 60 } }
seeds: 1
slurm:
  time: 1
  cpus_per_task: 1
`;

describe.skipIf(NO_SLURM !== null)(withReason("a sweep on a real Slurm"), () => {
  let slurm: OneNodeSlurm;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thawline-sweep-"));
    slurm = await OneNodeSlurm.open();
    writeFileSync(join(folder, "three.yaml"), SWEEP);
  });
  afterAll(async () => {
    await slurm.close();
    // Neither daemons nor what jobs have begun.
    expect(slurm.processes()).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Jobs are started far from here: their worker is a process of its own. */
  async function thawline(...args: string[]) {
    const env = { THAWLINE_PYTHON: inject("realPython") };
    return execa(process.execPath, [CLI, ...args], { cwd: folder, env, reject: false, stdin: "ignore" });
  }

  const runsOf = (sweep: string): string[] =>
    readdirSync(join(folder, sweep))
      .filter((name) => name.includes("-seed0-"))
      .sort();
  const journalOf = (run: string): string => {
    try {
      return readFileSync(join(folder, "swept", run, "journal"), "utf8");
    } catch {
      return "";
    }
  };
  const weightsOf = (sweep: string): unknown[] =>
    runsOf(sweep).map((run) => {
      const { outcome, weights_sha256: weights } = JSON.parse(
        readFileSync(join(folder, sweep, run, "results.json"), "utf8"),
      ) as Record<string, unknown>;
      return [run, outcome, weights];
    });

  async function submit(): Promise<string> {
    const { stdout, stderr } = await thawline("sweep", "three.yaml", "--dir", "swept", "--on", "slurm");
    const [, job] = /^submitted job (\d+): 3 tasks for 3 runs\n/.exec(stdout) ?? [];
    if (job === undefined) throw new Error(`${stdout}\n${stderr}`);
    return job;
  }

  test("requeued in mid-training, cancelled, and at the end of its time, comes out as one that was left alone", async () => {
    const undisturbed = await thawline("sweep", "three.yaml", "--dir", "undisturbed", "--jobs", "3");
    expect(undisturbed.exitCode, undisturbed.stderr).toBe(0);

    const job = await submit();
    const again = await thawline("sweep", "three.yaml", "--dir", "swept", "--on", "slurm");
    expect([again.exitCode, again.stderr]).toEqual([
      2,
      expect.stringContaining(`job ${job} of this sweep has not ended`),
    ]);
    const printed = (task: number): string =>
      readFileSync(join(folder, "swept", "slurm", `${job}_${task}.out`), "utf8");

    // In mid-training, each of them, however fast the machine is.
    await until(() => runsOf("swept").filter((run) => journalOf(run).includes('"worker/applied"')).length === 3);
    await Promise.all(runsOf("swept").map((run) => thawline("control", join("swept", run), "pause")));
    slurm.ask("scontrol", "requeue", `${job}_0`);
    slurm.ask("scancel", `${job}_1`);
    // The third one has a minute, of which it leaves some for the checkpoint.
    await until(() => printed(2).includes("its time is nearly up"));
    await until(() => printed(2).includes("Slurm starts this task again"));

    const status = async (): Promise<string> => (await thawline("sweep", "status", "swept")).stdout;
    await whileSlurmWaits(job, async () => !(await status()).includes("3 of 3 done"));
    await until(() => slurm.ask("squeue", "-h", "-t", "R,CG").trim() === "");

    expect(weightsOf("swept")).toEqual(weightsOf("undisturbed"));
    const states = await jobStates([job]);
    expect(states.get(`${job}_1`)?.state).toBe("CANCELLED");
    expect(await status()).toMatch(new RegExp(`job ${job}: .*1 cancelled`));
    // Stopped by one order, with a checkpoint, however many signals there were; and finished once.
    for (const run of runsOf("swept")) {
      const events = journalOf(run);
      expect(events.match(/"type":"run\/finish"[^}]*"outcome":"finished"/g)).toHaveLength(1);
      expect(events.match(/"controller\/interrupted"/g)?.length ?? 0).toBe(
        events.match(/"controller\/started"/g)!.length - 1,
      );
    }
    expect(printed(0)).toContain("stopped with a checkpoint");
    const manifest = readFileSync(join(folder, "swept", runsOf("swept")[0]!, "manifest.json"), "utf8");
    expect(manifest).toMatch(new RegExp(`"slurm_job": ?"${job}_[02]"`));

    const nothing = await thawline("sweep", "three.yaml", "--dir", "swept", "--on", "slurm");
    expect(nothing.stdout + nothing.stderr).toMatch(/nothing is missing|has not ended/);
    slurm.ask("scancel", job);
  });

  /** A requeued task waits for two minutes; these do not. */
  async function whileSlurmWaits(job: string, goesOn: () => Promise<boolean>): Promise<void> {
    while (await goesOn()) {
      for (const [task, { state, reason }] of await jobStates([job])) {
        if (state === "PENDING" && reason === "BeginTime")
          slurm.ask("scontrol", "update", `JobId=${task}`, "StartTime=now");
      }
      await sleep(500);
    }
  }

  test("that asks for what there is not is refused with Slurm's words", async () => {
    writeFileSync(join(folder, "refused.yaml"), SWEEP.replace("time: 1", "partition: nope"));
    const { exitCode, stderr } = await thawline("sweep", "refused.yaml", "--on", "slurm");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("invalid partition specified: nope")]);
    expect(slurm.ask("squeue", "-h", "-n", "thawline-refused")).toBe("");
  });
});

describe("a sweep where there is no Slurm", () => {
  test("is refused with a sentence, and makes nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thawline-sweep-"));
    try {
      writeFileSync(join(folder, "three.yaml"), SWEEP);
      const env = { PATH: folder, THAWLINE_PYTHON: inject("realPython") };
      const run = (...args: string[]) =>
        execa(process.execPath, [CLI, "sweep", "three.yaml", ...args], {
          cwd: folder,
          env,
          reject: false,
          stdin: "ignore",
        });
      const refused = await run("--on", "slurm");
      expect([refused.exitCode, refused.stderr]).toEqual([
        2,
        expect.stringContaining("`scontrol` is not installed here"),
      ]);
      expect(readdirSync(folder)).toEqual(["three.yaml"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
