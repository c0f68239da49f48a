import { readdirSync, readFileSync, truncateSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { livesHere, thisProcess, type ProcessIdentity } from "../process-identity.js";
import { isSamePlace, placeOf, type FolderPlace } from "./folder-place.js";
import { codeOf, createFile, modeInside } from "../whole-file.js";

/** Who holds a run: enough to tell a live controller from a dead one, and from another process with a recycled pid. */
export interface LockHolder extends ProcessIdentity {
  /** The run folder that it holds: a lock may be copied along with another one. Versions before noted none. */
  readonly folder?: FolderPlace;
}

export interface Lock {
  readonly term: number;
  readonly release: () => void;
}

const LOCK_NAME = /^lock\.(\d+)$/;

/**
 * Takes the run: creates `lock.<term>` with O_EXCL, so of two newcomers one loses. The highest term is the holder.
 * @throws UserError `run_in_use` while another controller lives, or when the holder is on another host; `run_copied`
 * where it holds the folder that this is a copy of
 */
export function acquireLock(
  runFolder: string,
  { takeover = false, asCopy = false }: { readonly takeover?: boolean; readonly asCopy?: boolean } = {},
): Lock {
  const terms = existingTerms(runFolder);
  const highest = terms.at(-1) ?? 0;
  if (highest > 0) {
    const holder = readHolder(join(runFolder, `lock.${highest}`));
    // One that was copied with its folder holds the other folder.
    if (holder !== null && !(asCopy && !holdsThis(runFolder, holder))) refuseIfHeld(runFolder, holder, takeover);
  }
  const term = highest + 1;
  const path = join(runFolder, `lock.${term}`);
  createExclusively(runFolder, path);
  // Whoever was delayed between looking and creating may have reused the number of a lock that has come and gone.
  if (existingTerms(runFolder).at(-1) !== term) {
    removeQuietly(path);
    throw takenAtTheSameMoment(runFolder);
  }
  // Older locks have served: the highest term alone decides. Losing a race to remove one is harmless.
  for (const old of terms) removeQuietly(join(runFolder, `lock.${old}`));
  return { term, release: () => writeReleased(path) };
}

/** The holder of the run's newest lock, if it is alive on this machine and holds this folder, not one it was copied from. */
export function liveHolder(runFolder: string): LockHolder | null {
  const highest = existingTerms(runFolder).at(-1);
  if (highest === undefined) return null;
  const holder = readHolder(join(runFolder, `lock.${highest}`));
  return holder !== null && livesHere(holder) && holdsThis(runFolder, holder) ? holder : null;
}

function existingTerms(runFolder: string): number[] {
  return readdirSync(runFolder)
    .flatMap((name) => LOCK_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function refuseIfHeld(runFolder: string, holder: LockHolder, takeover: boolean): void {
  if (holder.host !== hostname()) {
    if (takeover) return;
    throw new UserError({
      code: "run_in_use",
      message: `\`${runFolder}\` is held by process ${holder.pid} on host ${holder.host}`,
      hint: "if that host is gone, add `--takeover`",
    });
  }
  if (livesHere(holder) && !holdsThis(runFolder, holder)) {
    throw new UserError({
      code: "run_copied",
      message: `\`${runFolder}\` is a copy of \`${holder.folder!.path}\`, which the controller with process id ${holder.pid} runs`,
      hint: `\`npx thawline resume ${runFolder} --as-copy\` goes on with the copy as a run of its own`,
    });
  }
  if (livesHere(holder)) {
    throw new UserError({
      code: "run_in_use",
      message: `\`${runFolder}\` is in use by the controller with process id ${holder.pid}`,
      hint: `look at it with \`npx thawline watch ${runFolder}\`, or stop it with \`npx thawline control ${runFolder} stop\``,
    });
  }
}

/** Written aside and linked into place: nobody ever sees a lock that does not name its holder yet. */
function createExclusively(runFolder: string, path: string): void {
  try {
    const holder = { ...thisProcess(), folder: placeOf(runFolder)! } satisfies LockHolder;
    if (createFile(path, JSON.stringify(holder), modeInside(runFolder))) return;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError({
      code: "unwritable_run_folder",
      message: `\`${runFolder}\` cannot be written (${codeOf(error.cause) ?? error.message})`,
      hint: "a run that goes on writes its journal there: make the folder writable",
      cause: error,
    });
  }
  throw takenAtTheSameMoment(runFolder);
}

function holdsThis(runFolder: string, { folder }: LockHolder): boolean {
  const here = placeOf(runFolder);
  return folder === undefined || (here !== null && isSamePlace(here, folder));
}

function takenAtTheSameMoment(runFolder: string): UserError {
  return new UserError({
    code: "run_in_use",
    message: `another controller took \`${runFolder}\` at the same moment`,
    hint: `look at it with \`npx thawline watch ${runFolder}\``,
  });
}

/** An emptied lock keeps its term number taken and names no holder. */
function writeReleased(path: string): void {
  try {
    // Another folder may be at that path by now, with a lock of another controller.
    if (readHolder(path)?.pid === process.pid) truncateSync(path, 0);
  } catch {
    // The run folder may be gone by now; then there is nothing to release.
  }
}

function readHolder(path: string): LockHolder | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LockHolder;
  } catch {
    return null;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone.
  }
}
