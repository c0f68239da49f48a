import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../core/state.js";
import { UserError } from "../errors.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { liveHolder } from "../journal/lock.js";

/** Run folders directly under `root`, newest first. */
export function runFoldersIn(root: string): string[] {
  return listFolders(root)
    .map((name) => join(root, name))
    .flatMap((path) => {
      const modified = modifiedAt(join(path, JOURNAL_FILE));
      return modified === null ? [] : [{ path, modified }];
    })
    .sort((a, b) => b.modified - a.modified)
    .map(({ path }) => path);
}

/** Milliseconds since 1970; null where there is no such file. What cannot be looked at is listed last. */
function modifiedAt(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  } catch {
    return 0;
  }
}

/** @throws UserError `no_runs` */
export function latestRunFolder(cwd: string): string {
  const newest = runFoldersIn(join(cwd, "runs"))[0];
  if (newest !== undefined) return newest;
  throw new UserError({
    code: "no_runs",
    message: "there is no run under `runs`",
    hint: "start one with `npx thawline run quickstart`, or name a run folder",
  });
}

/** A run without an end and without a live controller was cut off, and can be resumed. */
export function runStatus(state: State, runFolder: string): string {
  if (state.end !== null) return state.end.outcome;
  return liveHolder(runFolder) === null ? "cut off" : "running";
}

function listFolders(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    throw new UserError({
      code: "no_runs",
      message: `there is no folder \`${root}\``,
      hint: "start a run with `npx thawline run quickstart`, or name the folder of your runs",
    });
  }
}
