import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { jobStates } from "../../src/slurm/job-states.js";
import { slurmSchema } from "../../src/slurm/schema.js";
import type { Submission } from "../../src/slurm/script.js";
import { previewOf, submit } from "../../src/slurm/submit.js";
import { submittedJobs } from "../../src/slurm/submitted.js";
import { NO_SLURM, OneNodeSlurm, until, withReason } from "../support/one-node-slurm.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "thawline-submit-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const TASK = fileURLToPath(new URL("../fixtures/processes/slurm-task.mjs", import.meta.url));

function submission(folder: string, tasks: number, settings: unknown = {}): Submission {
  return { folder, tasks, settings: slurmSchema.parse(settings), command: [process.execPath, TASK, folder] };
}

describe("a submission, to programs in the place of Slurm's", () => {
  const path = process.env["PATH"];
  let bin: string;
  beforeEach(() => {
    bin = join(root, "bin");
    mkdirSync(bin);
    process.env["PATH"] = `${bin}:${path}`;
    program("scontrol", 'echo "MaxArraySize = 3"');
    program("scancel", "");
  });
  afterEach(() => {
    process.env["PATH"] = path;
    delete process.env["SLURM_JOB_ID"];
    delete process.env["SLURM_CPUS_PER_TASK"];
  });

  function program(name: string, lines: string): void {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" >> ${bin}/${name}.calls\n${lines}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const calls = (name: string): string[] =>
    existsSync(join(bin, `${name}.calls`))
      ? readFileSync(join(bin, `${name}.calls`), "utf8")
          .trim()
          .split("\n")
      : [];

  it("keeps the scripts by their job ids, and tells the jobs", async () => {
    program("sbatch", `cat > ${bin}/script; echo "$(( 40 + $(wc -l < ${bin}/sbatch.calls) ));cluster"`);
    const { jobIds, script } = await submit(submission(root, 5));
    expect(jobIds).toEqual(["41", "42"]);
    expect(submittedJobs(root)).toEqual(["41", "42"]);
    expect(statSync(join(root, "slurm", "41.sbatch")).mode & 0o777).toBe(0o600);
    expect(script).toBe(["41", "42"].map((id) => readFileSync(join(root, "slurm", `${id}.sbatch`), "utf8")).join("\n"));
    expect(calls("scancel")).toEqual([]);
  });

  it("is all or nothing: where an array is refused, those before it are cancelled, and its words are said", async () => {
    program(
      "sbatch",
      `[ $(wc -l < ${bin}/sbatch.calls) = 2 ] || { echo 41; exit 0; }
       echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; echo "sbatch: error: Batch job submission failed" >&2; exit 1`,
    );
    await expect(submit(submission(root, 5))).rejects.toMatchObject({
      code: "slurm_refused",
      message:
        "`sbatch --parsable` was refused: sbatch: error: QOSMaxSubmitJobPerUserLimit; sbatch: error: Batch job submission failed",
    });
    expect(calls("scancel")).toEqual(["41"]);
    expect(submittedJobs(root)).toEqual([]);
  });

  it("waits with an array for the one before it where few tasks may run at a time", async () => {
    program("sbatch", `echo $(( 40 + $(wc -l < ${bin}/sbatch.calls) ))`);
    await submit(submission(root, 9, { array_parallelism: 2 }));
    expect(calls("sbatch")).toEqual([
      "--parsable",
      "--parsable --dependency=afterany:41",
      "--parsable --dependency=afterany:42",
    ]);
  });

  it("from within another job has nothing of that one", async () => {
    Object.assign(process.env, { SLURM_JOB_ID: "7", SLURM_CPUS_PER_TASK: "64" });
    program("sbatch", `env | grep ^SLURM > ${bin}/variables; echo 41`);
    await submit(submission(root, 2));
    expect(readFileSync(join(bin, "variables"), "utf8")).toBe("");
  });

  it("that names no job says so", async () => {
    program("sbatch", "echo queued");
    await expect(submit(submission(root, 2))).rejects.toThrow("`sbatch` named no job");
  });

  it("where there is no Slurm is refused, and shown as it would be", async () => {
    rmSync(join(bin, "scontrol"));
    process.env["PATH"] = bin;
    await expect(submit(submission(root, 5))).rejects.toMatchObject({ code: "no_slurm" });
    expect(readdirSync(root)).toEqual(["bin"]);
    expect(await previewOf(submission(root, 5))).toMatch(/^#!\/bin\/bash\n[\s\S]*--array=0-4\n/);
  });
});

describe.skipIf(NO_SLURM !== null)(withReason("a submission to a real Slurm"), () => {
  let slurm: OneNodeSlurm;
  beforeAll(async () => {
    slurm = await OneNodeSlurm.open({ MaxArraySize: 3 });
  });
  afterAll(() => slurm.close());
  afterEach(() => {
    delete process.env["TASK_DOES"];
    delete process.env["TASK_SECRET"];
  });

  it("runs every task once with its share, gives it the variables of the list, and tells how they stand", async () => {
    const folder = join(root, `ada's "best" 100% $HOME`);
    Object.assign(process.env, { TASK_DOES: "print", TASK_SECRET: "hunter2" });
    const settings = { export: ["TASK_DOES"], setup: ["echo set up"], time: 5, cpus_per_task: 1 };
    const { jobIds } = await submit(submission(folder, 5, settings));
    expect(jobIds).toHaveLength(2);
    await until(async () => {
      const states = [...(await jobStates(jobIds)).values()];
      return states.length === 5 && states.every(({ state }) => state === "COMPLETED");
    });
    const printed = readdirSync(join(folder, "slurm")).flatMap((name) =>
      name.endsWith(".out")
        ? [
            readFileSync(join(folder, "slurm", name), "utf8")
              .trim()
              .split("\n"),
          ]
        : [],
    );
    expect(printed.map(([, given]) => given).sort()).toEqual(
      [1, 2, 3, 4, 5].map((task) => `arguments ${folder} --only ${task}/5`),
    );
    for (const [setup, , life, left, variables] of printed) {
      expect([setup, life, variables]).toEqual(["set up", "life 0", "variables TASK_DOES HOME"]);
      expect(left).toMatch(/^left (?:29\d|300)$/);
    }
  });

  it("is refused with its words, and leaves nothing", async () => {
    await expect(submit(submission(root, 2, { partition: "nope" }))).rejects.toThrow(
      /was refused: sbatch: error: invalid partition specified: nope; .*Invalid partition name specified$/,
    );
    expect(readdirSync(root)).toEqual([]);
    expect(slurm.ask("squeue", "-h")).toBe("");
  });
});
