import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { thisProcess, type ProcessIdentity } from "../process-identity.js";
import { codeOf } from "../whole-file.js";
import { isSamePlace, placeOf, type FolderPlace } from "./folder-place.js";

/** The Slurm job in which a process runs: of an array, the task's own. */
export interface SlurmJob {
  readonly cluster: string;
  /** `SLURM_JOB_ID`: a task of an array has one of its own. */
  readonly id: string;
  /** `<array job>_<task>`; null where it is no array. */
  readonly task: string | null;
  /** How often Slurm has started the job again: the same id at a higher count is another life. */
  readonly restarts: number;
}

/**
 * Who holds a folder: enough to tell a live process from a dead one, also on another host. Versions before heartbeats
 * wrote the process only, and the oldest no folder.
 */
export interface Holder extends ProcessIdentity {
  /** Of this one taking, so that a file that was replaced is not taken for ours. */
  readonly id?: string;
  /** The folder that it holds: its file may be copied along with another one. */
  readonly folder?: FolderPlace;
  /** Where process ids of one host may mean different processes: containers. Null where the system has none. */
  readonly processNamespace?: string | null;
  /** The user's number, whose jobs the scheduler tells of; null where the system has none. */
  readonly user?: number | null;
  /** How often it touches its file. Without it nothing can be told of a holder on another host. */
  readonly heartbeatMilliseconds?: number;
  readonly job?: SlurmJob | null;
}

/** This process as the holder of `folder`, which exists. */
export function thisHolder(folder: string, heartbeatMilliseconds: number, env: NodeJS.ProcessEnv): Holder {
  return {
    ...thisProcess(),
    id: randomUUID(),
    folder: placeOf(folder)!,
    processNamespace: processNamespace(),
    user: process.getuid?.() ?? null,
    heartbeatMilliseconds,
    job: jobOf(env),
  };
}

/** Whether it holds `folder`, and not another one that this is a copy of. */
export function holdsThis(folder: string, holder: Holder): boolean {
  const here = placeOf(folder);
  return holder.folder === undefined || (here !== null && isSamePlace(here, holder.folder));
}

/** The Slurm job that these variables name; null outside one. */
export function jobOf(env: NodeJS.ProcessEnv): SlurmJob | null {
  const { SLURM_JOB_ID, SLURM_CLUSTER_NAME, SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_RESTART_COUNT } = env;
  if (SLURM_JOB_ID === undefined || SLURM_JOB_ID === "") return null;
  const isTask = SLURM_ARRAY_JOB_ID !== undefined && SLURM_ARRAY_TASK_ID !== undefined;
  return {
    cluster: SLURM_CLUSTER_NAME ?? "",
    id: SLURM_JOB_ID,
    task: isTask ? `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}` : null,
    // Not set in a job's first life.
    restarts: Number(SLURM_RESTART_COUNT ?? 0),
  };
}

export function processNamespace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
  }
}

/** `free`: released, or gone since it was listed. `unreadable`: there is one, and nothing is known of it. */
export type FoundHolder = Holder | "free" | "unreadable";

export function readHolder(path: string): FoundHolder {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return ["ENOENT", "ESTALE"].includes(codeOf(error) ?? "") ? "free" : "unreadable";
  }
  return parseHolder(text) ?? "free";
}

/** Null for what names no process: an emptied file, or no file of ours. */
function parseHolder(text: string): Holder | null {
  try {
    const { pid, host, startTime } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof host !== "string" || typeof startTime !== "string") return null;
    return JSON.parse(text) as Holder;
  } catch {
    return null;
  }
}
