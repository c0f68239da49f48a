import { z } from "zod";

/** One line: a line break would begin another one of the script. */
const line = z.string().regex(/^[^\r\n\0]+$/, { error: "expected text of one line" });
const word = z.string().regex(/^[^\s"'\\\0]+$/, { error: "expected text without spaces and quotes" });

const time = z.union(
  [z.int().min(1), z.string().regex(/^(?:\d+-\d+(?::\d+){0,2}|\d+(?::\d+){0,2}|UNLIMITED|INFINITE)$/i)],
  { error: "expected minutes, or a time such as `12:00:00` or `1-00:00:00`" },
);

/** Of a sweep's file: what its jobs ask of Slurm. Whatever is not here is left to the cluster. */
export const slurmSchema = z.strictObject({
  partition: word.optional().describe("Partitions, separated by commas."),
  account: word.optional().describe("Account that is charged."),
  qos: word.optional().describe("Quality of service."),
  time: time.optional().describe("Time limit of a task: minutes, or a time such as `12:00:00` or `1-00:00:00`."),
  gpus_per_node: z
    .union([z.int().min(1), word])
    .optional()
    .describe("GPUs of a task: a number, or `a100:2`."),
  cpus_per_task: z.int().min(1).optional().describe("CPUs of a task."),
  mem_gb: z.number().positive().optional().describe("Memory of a task on its node, in GiB."),
  constraint: line.optional().describe("Features that a node must have."),
  exclude: word.optional().describe("Nodes that are not to be used."),
  array_parallelism: z.int().min(1).optional().describe("Tasks that run at a time, at most."),
  setup: z.array(line).default([]).describe("Lines of the script before the sweep begins, such as `module load cuda`."),
  extra: z.array(line).default([]).describe("Options of `sbatch` as they are, such as `--reservation=course`."),
  export: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of a variable" }))
    .default([])
    .describe("Variables of the environment that the tasks get besides those that thawline needs, by name."),
});

export type SlurmSettings = z.output<typeof slurmSchema>;
