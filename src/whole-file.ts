import { randomUUID } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "./errors.js";
import { failpoint } from "./failpoint.js";

/*
 * The one place from which files of ours are written whole: aside, onto the disk, then under their name. Whatever
 * stops a write (a full disk, a power cut, a kill) leaves what was there before.
 */

/** For nobody but the user, whatever the umask: commands and texts of a run are in its files. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/** `.NAME.tmp-PID-RANDOM`; versions before had `NAME.tmp-PID` and `.lock-PID-TIME`. */
const ASIDE = /^(?:\..+\.tmp-(\d+)-[0-9a-f]+|.+\.tmp-(\d+)|\.lock-(\d+)-\d+)$/;
/** A process id that is in use again says nothing: no write takes this long. */
const OLD_MILLISECONDS = 3_600_000;

/**
 * Replaces a file, or makes it.
 *
 * @param mode whatever the umask
 * @throws UserError `unwritable_file`, and then the file is as it was
 */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  putFile(path, content, mode, renameSync);
}

/**
 * Makes a file where there is none.
 *
 * @returns false, and nothing has changed, where there is one
 * @throws UserError `unwritable_file`
 */
export function createFile(path: string, text: string, mode: number): boolean {
  try {
    putFile(path, text, mode, linkSync);
    return true;
  } catch (error) {
    if (error instanceof UserError && codeOf(error.cause) === "EEXIST") return false;
    throw error;
  }
}

/** Mode for a file in a run folder: for the group to read where the folder is, and never for anybody else. */
export function modeInside(folder: string): number {
  return PRIVATE_FILE | (statSync(folder).mode & 0o040);
}

/** Removes what processes that are dead were writing in `folder` when they died. */
export function removeAsidesOfTheDead(folder: string): void {
  for (const name of namesIn(folder)) {
    const pid = ASIDE.exec(name)?.slice(1).find(Boolean);
    if (pid !== undefined && wasGivenUp(join(folder, name), Number(pid))) removeQuietly(join(folder, name));
  }
}

/** Whether `name` is of a file that is being written, or was when its writer died. */
export function isAside(name: string): boolean {
  return ASIDE.test(name);
}

/**
 * What the file system refused, as a sentence with what to do.
 *
 * @param what with its path, for example "`/runs/a/results.json`"
 * @returns `error` itself where it is not the file system's
 */
export function refusedByDisk(what: string, error: unknown, code = "unwritable_file"): unknown {
  const reason = codeOf(error);
  if (reason === null || error instanceof UserError) return error;
  return new UserError({
    code,
    message: `${what} cannot be written (${reason}${inWords(reason)})`,
    hint: remedyFor(reason),
    cause: error,
  });
}

/** `ENOSPC` and the like; null for an error of another kind. */
export function codeOf(error: unknown): string | null {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return typeof code === "string" && typeof syscall === "string" ? code : null;
}

/** `ENOSPC` and the like, or what there is to say instead. */
export function reasonOf(error: unknown): string {
  return codeOf(error) ?? String(error);
}

function putFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  place: (aside: string, path: string) => void,
): void {
  const aside = join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomUUID().slice(0, 8)}`);
  try {
    try {
      writeOntoDisk(aside, typeof content === "string" ? Buffer.from(content) : content, mode);
      failpoint("file.aside");
      place(aside, path);
      syncFolder(dirname(path));
    } finally {
      removeQuietly(aside);
    }
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error);
  }
}

function writeOntoDisk(path: string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, "wx", mode);
  try {
    fchmodSync(file, mode);
    // A disk with little room takes a part, and says that it is full when it is asked again.
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The name onto the disk too. Not every file system can, and then the content is there all the same. */
function syncFolder(folder: string): void {
  try {
    const opened = openSync(folder, "r");
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  } catch {
    // Nothing depends on it while the machine runs.
  }
}

function inWords(code: string): string {
  const words: Readonly<Record<string, string>> = {
    ENOSPC: ": no room left on the disk",
    EDQUOT: ": the quota is used up",
    EROFS: ": the file system is read-only",
    EACCES: ": permission denied",
    EPERM: ": not permitted",
    ENOENT: ": its folder does not exist",
    EISDIR: ": a folder has its name",
  };
  return words[code] ?? "";
}

function remedyFor(code: string): string {
  if (code === "ENOSPC" || code === "EDQUOT") return "make room there, then do the same again";
  if (code === "EISDIR") return "remove that folder, then do the same again";
  if (code === "ENOENT" || code === "ENOTDIR") return "make the folder, or name another one";
  return "make it writable, or name a folder that is";
}

function wasGivenUp(path: string, pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return true;
  }
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified !== undefined && Date.now() - modified > OLD_MILLISECONDS;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already in its place, or never made.
  }
}
