import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../errors.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { runFoldersIn } from "../runs/list.js";

/**
 * The run folders that somebody named: each itself, or those directly in it, by name.
 *
 * @throws UserError `no_runs`
 */
export function findRuns(named: readonly string[]): string[] {
  const found = named.flatMap((folder) => {
    const path = resolve(folder);
    const runs = isRun(path) ? [path] : runFoldersIn(path).filter(isRun).sort(byName);
    if (runs.length > 0) return runs;
    throw new UserError({
      code: "no_runs",
      message: `there is no run in \`${folder}\``,
      hint: "name the folder of a run, or one that holds run folders",
    });
  });
  return [...new Set(found)];
}

/** Where a report goes that nobody has chosen a place for: into the one folder that was named, else into `report`. */
export function defaultOut(named: readonly string[], cwd: string): string {
  return named.length === 1 ? join(resolve(named[0]!), REPORT_FOLDER) : join(cwd, REPORT_FOLDER);
}

const REPORT_FOLDER = "report";

function isRun(path: string): boolean {
  return statSync(join(path, JOURNAL_FILE), { throwIfNoEntry: false })?.isFile() ?? false;
}

function byName(a: string, b: string): number {
  return basename(a).localeCompare(basename(b), "en", { numeric: true });
}
