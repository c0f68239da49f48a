import { linkSync, readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { startTimeOf } from "../process-identity.js";

/** Who holds a run: enough to tell a live controller from a dead one, and from another process with a recycled pid. */
export interface LockHolder {
  readonly pid: number;
  readonly startTime: string;
  readonly host: string;
}

export interface Lock {
  readonly epoch: number;
  readonly release: () => void;
}

const LOCK_NAME = /^lock\.(\d+)$/;

/**
 * Takes the run: creates `lock.<epoch>` with O_EXCL, so of two newcomers one loses. The highest epoch is the holder.
 * @throws UserError `run_in_use` while another controller lives, or when the holder is on another host
 */
export function acquireLock(runFolder: string, takeover = false): Lock {
  const epochs = existingEpochs(runFolder);
  const highest = epochs.at(-1) ?? 0;
  if (highest > 0) {
    const holder = readHolder(join(runFolder, `lock.${highest}`));
    if (holder !== null) refuseIfHeld(runFolder, holder, takeover);
  }
  const epoch = highest + 1;
  const path = join(runFolder, `lock.${epoch}`);
  createExclusively(runFolder, path);
  // Whoever was delayed between looking and creating may have reused the number of a lock that has come and gone.
  if (existingEpochs(runFolder).at(-1) !== epoch) {
    removeQuietly(path);
    throw takenAtTheSameMoment(runFolder);
  }
  // Older locks have served: the highest epoch alone decides. Losing a race to remove one is harmless.
  for (const old of epochs) removeQuietly(join(runFolder, `lock.${old}`));
  return { epoch, release: () => writeReleased(path) };
}

/** The holder of the run's newest lock, if it is alive on this machine. */
export function liveHolder(runFolder: string): LockHolder | null {
  const highest = existingEpochs(runFolder).at(-1);
  if (highest === undefined) return null;
  const holder = readHolder(join(runFolder, `lock.${highest}`));
  return holder !== null && holder.host === hostname() && isSameProcess(holder) ? holder : null;
}

function existingEpochs(runFolder: string): number[] {
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
  if (isSameProcess(holder)) {
    throw new UserError({
      code: "run_in_use",
      message: `\`${runFolder}\` is in use by the controller with process id ${holder.pid}`,
      hint: `look at it with \`npx thawline watch ${runFolder}\`, or stop it with \`npx thawline control ${runFolder} stop\``,
    });
  }
}

/** Written aside and linked into place: nobody ever sees a lock that does not name its holder yet. */
function createExclusively(runFolder: string, path: string): void {
  const { pid } = process;
  const holder: LockHolder = { pid, startTime: startTimeOf(pid) ?? "", host: hostname() };
  const aside = join(runFolder, `.lock-${process.pid}-${Date.now()}`);
  try {
    writeFileSync(aside, JSON.stringify(holder), { flag: "wx" });
    linkSync(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw takenAtTheSameMoment(runFolder);
    throw new UserError({
      code: "unwritable_run_folder",
      message: `\`${runFolder}\` cannot be written (${code ?? String(error)})`,
      hint: "a run that goes on writes its journal there: make the folder writable",
    });
  } finally {
    removeQuietly(aside);
  }
}

function takenAtTheSameMoment(runFolder: string): UserError {
  return new UserError({
    code: "run_in_use",
    message: `another controller took \`${runFolder}\` at the same moment`,
    hint: `look at it with \`npx thawline watch ${runFolder}\``,
  });
}

/** An emptied lock keeps its epoch number taken and names no holder. */
function writeReleased(path: string): void {
  try {
    truncateSync(path, 0);
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

function isSameProcess(holder: LockHolder): boolean {
  return startTimeOf(holder.pid) === holder.startTime;
}
