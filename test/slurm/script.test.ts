import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { slurmSchema } from "../../src/slurm/schema.js";
import { composeScript, type Submission } from "../../src/slurm/script.js";

const VECTORS = join(import.meta.dirname, "..", "vectors", "slurm");

function submission(settings: unknown, difference: Partial<Submission> = {}): Submission {
  const command = ["/opt/node/bin/node", "/opt/thawline/dist/cli.js", "sweep", "/scratch/ada/table2"];
  return { folder: "/scratch/ada/table2", tasks: 24, settings: slurmSchema.parse(settings), command, ...difference };
}

const whole = { offset: 0, size: 24, parallelism: null, waits: false };
const everything = {
  partition: "gpu,long",
  account: "proj42",
  qos: "high",
  time: "1-12:00:00",
  gpus_per_node: "a100:1",
  cpus_per_task: 4,
  mem_gb: 15.5,
  constraint: "a100&nvlink | h100",
  exclude: "node[01-03]",
  setup: ["source /etc/profile", "module load cuda/12.4", 'export OMP_NUM_THREADS="4"'],
  extra: ["--reservation=course", "--signal=B:USR2@180"],
  export: ["WANDB_API_KEY"],
};

describe("the script of a job array", () => {
  it.each<[string, Submission, typeof whole | (Omit<typeof whole, "parallelism"> & { parallelism: number })]>([
    ["bare", submission({}), whole],
    ["everything", submission(everything), { ...whole, parallelism: 8 }],
    ["second", submission({ time: 90 }, { tasks: 1500 }), { offset: 750, size: 750, parallelism: 4, waits: false }],
    [
      "odd-names",
      submission(
        {},
        {
          folder: `/scratch/ada's "best" 100%/sweep $HOME`,
          command: ["/opt/my node", "cli.js", "sweep", `/scratch/ada's "best" 100%/sweep $HOME`],
        },
      ),
      whole,
    ],
  ])("is that of %s.sbatch", async (name, given, chunk) => {
    await expect(composeScript(given, chunk)).toMatchFileSnapshot(join(VECTORS, `${name}.sbatch`));
  });

  it("is a shell's, and runs the command with the words that were given and this task's share", () => {
    const odd = ["sh", "-c", 'printf "%s\\n" "$@"', "sh", `a 'b' "c" $HOME`, "*"];
    const text = composeScript(submission({ setup: ["echo set up"] }, { command: odd, tasks: 100 }), {
      ...whole,
      offset: 50,
    });
    const printed = execFileSync("bash", ["-c", text], { encoding: "utf8", env: { SLURM_ARRAY_TASK_ID: "3" } });
    expect(printed.trim().split("\n")).toEqual(["set up", `a 'b' "c" $HOME`, "*", "--only", "54/100"]);
  });

  it("has no value of a variable in it", () => {
    process.env["THAWLINE_TEST_SECRET"] = "hunter2";
    const text = composeScript(submission({ export: ["THAWLINE_TEST_SECRET"] }), whole);
    delete process.env["THAWLINE_TEST_SECRET"];
    expect(text).toContain(",THAWLINE_TEST_SECRET\n");
    expect(text).not.toContain("hunter2");
  });

  it.each(["/scratch/a\nb", "/scratch/a\\b"])("cannot name the folder %j, and says so", (folder) => {
    expect(() => composeScript(submission({}, { folder }), whole)).toThrow("a Slurm script cannot name");
  });
});
