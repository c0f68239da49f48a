import { readdirSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { State } from "../core/state.js";
import { failpoint } from "../failpoint.js";

/** The folders of a run folder in which attempts store weights, and from which a command may remove them again. */
const STORED_FOLDERS = ["checkpoints", "best"];

/**
 * Removes the stored folders that the journal does not know: half-truths of a crash, to which nothing ever returns.
 * Returns those that could not be removed; they are in nobody's way.
 */
export function removeUnknownFolders(runFolder: string, state: State): string[] {
  const { checkpoints, best } = state.weights;
  const stored = best === null ? checkpoints : [...checkpoints, best];
  const known = new Set(stored.map(({ path }) => path));
  return STORED_FOLDERS.flatMap((folder) => namesIn(join(runFolder, folder)).map((name) => `${folder}/${name}`))
    .filter((path) => !known.has(path))
    .filter((path) => !isRemoved(join(runFolder, path)));
}

function isRemoved(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Removes one stored folder, or throws what the file system says; without effect for any other path: it came over the wire. */
export function removeStoredFolder(runFolder: string, path: string): void {
  failpoint("stored.removing");
  const target = resolve(runFolder, path);
  const isStored = STORED_FOLDERS.some((folder) => target.startsWith(resolve(runFolder, folder) + sep));
  if (isStored) rmSync(target, { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
