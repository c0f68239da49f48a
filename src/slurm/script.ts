import { basename, join } from "node:path";
import { UserError } from "../errors.js";
import type { Chunk } from "./chunks.js";
import type { SlurmSettings } from "./schema.js";
import { SLURM_FOLDER } from "./submitted.js";

/**
 * What tasks get of the environment in which they are submitted, by name: where programs, data and settings are. Not
 * whatever else there is, such as keys of services.
 */
const EXPORTED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "TZ",
  "LD_LIBRARY_PATH",
  "MODULEPATH",
  "MODULESHOME",
  "LMOD_CMD",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "CONDA_DEFAULT_ENV",
  "PYTHONPATH",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "HF_HOME",
  "HF_HUB_OFFLINE",
  "TRANSFORMERS_OFFLINE",
  "TORCH_HOME",
  "NO_COLOR",
  "THAWLINE_PYTHON",
  "THAWLINE_CACHE",
  "SLURM_CONF",
] as const;

export interface Submission {
  /** The sweep's folder, an absolute path that the nodes have too. */
  readonly folder: string;
  /** How many tasks share its runs. */
  readonly tasks: number;
  readonly settings: SlurmSettings;
  /** The words of the command up to `--only`, for example `node /x/cli.js sweep /y/sweep`. */
  readonly command: readonly string[];
}

/**
 * The script of one job array. Says nothing that the user did not, but for what makes it work: an array, its output, a
 * task that may be requeued, and the list of variables that it gets.
 *
 * @throws UserError `slurm_folder` for a path that a script cannot name
 */
export function composeScript({ folder, tasks, settings, command }: Submission, chunk: Chunk): string {
  refuseOddFolder(folder);
  const throttle = chunk.parallelism === null ? "" : `%${chunk.parallelism}`;
  const options = [
    `--job-name=${jobName(folder)}`,
    `--array=0-${chunk.size - 1}${throttle}`,
    `--output=${quoted(join(folder, SLURM_FOLDER, "%A_%a.out"), folder)}`,
    // A task that comes back goes on below what it printed before.
    "--open-mode=append",
    "--requeue",
    `--export=${[...EXPORTED, ...settings.export].join(",")}`,
    ...optionsOf(settings),
    ...settings.extra,
  ];
  const task = `$((SLURM_ARRAY_TASK_ID + ${chunk.offset + 1}))`;
  return [
    "#!/bin/bash",
    ...options.map((option) => `#SBATCH ${option}`),
    "",
    ...settings.setup,
    // In the place of the shell, so that signals reach it.
    `exec ${command.map(shellWord).join(" ")} --only "${task}/${tasks}"`,
    "",
  ].join("\n");
}

function optionsOf(settings: SlurmSettings): string[] {
  const { partition, account, qos, time, gpus_per_node, cpus_per_task, mem_gb, constraint, exclude } = settings;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ["partition", partition],
    ["account", account],
    ["qos", qos],
    ["time", time],
    ["gpus-per-node", gpus_per_node],
    ["cpus-per-task", cpus_per_task],
    // Whole megabytes: `--mem` takes no fractions.
    ["mem", mem_gb === undefined ? undefined : `${Math.ceil(mem_gb * 1024)}M`],
    ["constraint", constraint === undefined ? undefined : `"${escaped(constraint)}"`],
    ["exclude", exclude],
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

function jobName(folder: string): string {
  return `thawline-${basename(folder).replaceAll(/[^A-Za-z0-9._-]/g, "-")}`;
}

/** A pattern of file names, in which the folder's own `%` stand for themselves. */
function quoted(path: string, folder: string): string {
  return `"${escaped(path.replace(folder, () => folder.replaceAll("%", "%%")))}"`;
}

/** As `sbatch` reads words in double quotes. */
function escaped(text: string): string {
  return text.replaceAll(/["\\]/g, "\\$&");
}

/** As a shell reads it: one word. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** `sbatch` takes a backslash in the name of an output file for a switch of its own. */
function refuseOddFolder(text: string): void {
  if (!/[\r\n\0\\]/.test(text)) return;
  throw new UserError({
    code: "slurm_folder",
    message: `a Slurm script cannot name \`${text}\`: it has a line break or a backslash`,
    hint: "rename that folder",
  });
}
