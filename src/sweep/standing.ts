import { existsSync } from "node:fs";
import { join } from "node:path";
import { holderOf } from "../claims/claim.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { readFinishedRun } from "../runs/finished-run.js";
import { wasNeverBegun } from "../runs/folder.js";
import type { PlannedRun } from "./plan.js";
import { FAILURE, notesFolderOf, runFolderOf, TAKEN } from "./sweep-folder.js";
import type { RunStanding } from "../reading/run-standing.js";

/** What exists of a planned run, derived from the files alone; nothing else is stored. */
export async function standingOf(folder: string, { id }: PlannedRun): Promise<RunStanding> {
  const taken = TAKEN.read(folder, id);
  if (taken !== null) return "taken";
  const runFolder = runFolderOf(folder, id);
  if ((await readFinishedRun(runFolder)) !== null) return "finished";
  if (holderOf(notesFolderOf(folder, id)) !== null) return "running";
  if (FAILURE.read(folder, id) !== null) return "failed";
  return existsSync(join(runFolder, JOURNAL_FILE)) && !wasNeverBegun(runFolder) ? "interrupted" : "pending";
}
