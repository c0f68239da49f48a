import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Of a sweep: the scripts that were submitted, and what their tasks printed. */
export const SLURM_FOLDER = "slurm";

const SCRIPT = /^(\d+)\.sbatch$/;

/** The job arrays that were submitted for this sweep, oldest first. */
export function submittedJobs(sweepFolder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(sweepFolder, SLURM_FOLDER));
  } catch {
    return [];
  }
  return names.flatMap((name) => SCRIPT.exec(name)?.[1] ?? []).sort((a, b) => Number(a) - Number(b));
}
