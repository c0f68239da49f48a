import { existsSync } from "node:fs";
import { join } from "node:path";

/** The plan, in a sweep's folder. */
export const PLAN_FILE = "sweep.json";

/** Whether a folder is that of a sweep. */
export function hasPlan(folder: string): boolean {
  return existsSync(join(folder, PLAN_FILE));
}
