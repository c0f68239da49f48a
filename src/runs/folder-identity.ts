import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import type { EventOf } from "../core/events.js";
import { isSamePlace, placeOf, type FolderPlace } from "../claims/folder-place.js";
import { JOURNAL_FILE, type JournalRecord } from "../journal/format.js";

/** Which run folder this is: its processes carry `identity`, and `place` tells it from a copy. */
export type FolderIdentity = NonNullable<EventOf<"controller/started">["folder"]>;

/** The folder as a controller took it over, to be compared with what is there later. */
export interface FolderWatch {
  readonly folder: FolderIdentity;
  /** The identity that it goes on from, where it was copied. */
  readonly copyOf: string | null;
  /** @throws UserError `run_folder_gone` where the folder, or its journal, is no longer what was taken over */
  readonly requireSame: () => void;
}

/**
 * Notes which folder and journal a controller holds.
 *
 * @param before what the journal says that the folder was; null for a new run, and of versions that did not note it
 */
export function watchFolder(runFolder: string, before: FolderIdentity | null, asCopy: boolean): FolderWatch {
  const { device, inode } = statOf(runFolder);
  const journal = statOf(join(runFolder, JOURNAL_FILE));
  const identity = before === null || asCopy ? randomUUID() : before.identity;
  return {
    folder: { identity, path: runFolder, device, inode },
    copyOf: asCopy ? (before?.identity ?? null) : null,
    requireSame: () => {
      const isSame = is(runFolder, { device, inode }) && is(join(runFolder, JOURNAL_FILE), journal);
      if (!isSame) throw folderGone(runFolder);
    },
  };
}

/** What the newest controller noted of its folder. */
export class FolderHistory {
  folder: FolderIdentity | null = null;

  /** More records of the journal, in their order. */
  take(records: Iterable<JournalRecord>): void {
    for (const { event } of records) {
      if (event.type === "controller/started") this.folder = event.folder ?? null;
    }
  }
}

/** Whether a folder is the very one that its journal names: only then are the processes named there its own. */
export function isOwnFolder(runFolder: string, before: FolderIdentity | null): boolean {
  const here = placeOf(runFolder);
  return before !== null && here !== null && isSamePlace(here, before);
}

/**
 * A folder that was moved is the run's; one whose original is still where the journal says is a copy of it.
 *
 * @throws UserError `run_copied`
 */
export function refuseCopy(runFolder: string, before: FolderIdentity | null): void {
  if (before === null || isOwnFolder(runFolder, before)) return;
  const there = placeOf(before.path);
  if (there === null || !isSamePlace(there, before)) return;
  throw copied(runFolder, before);
}

function copied(runFolder: string, original: FolderPlace): UserError {
  return new UserError({
    code: "run_copied",
    message: `\`${runFolder}\` is a copy of the run folder \`${original.path}\``,
    hint: `\`npx thawline resume ${runFolder} --as-copy\` goes on with it as a run of its own`,
  });
}

function folderGone(runFolder: string): UserError {
  return new UserError({
    code: "run_folder_gone",
    message: `\`${runFolder}\`, or the journal in it, was moved, deleted or replaced while the run went on; the run ends`,
    hint: "a folder that was moved goes on by `npx thawline resume` with its new path",
  });
}

/** Only what is gone for certain ends a run: a file system may be away for a moment. */
function is(path: string, expected: { readonly device: number; readonly inode: number }): boolean {
  try {
    const { dev, ino } = statSync(path);
    return dev === expected.device && ino === expected.inode;
  } catch (error) {
    return !["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

function statOf(path: string): { readonly device: number; readonly inode: number } {
  const { dev, ino } = statSync(path);
  return { device: dev, inode: ino };
}
