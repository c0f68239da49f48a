import { hostname } from "node:os";
import { UserError, ExternalError } from "../errors.js";
import { holdsThis, thisHolder, type Holder } from "../claims/holder.js";
import { keepLease, type Lease } from "../claims/lease.js";
import { EXPIRY_MILLISECONDS, HEARTBEAT_MILLISECONDS, isOfThisHost, lifeOf, type LifeFacts } from "../claims/life.js";
import { newestOf, takeTerm, type Newest } from "../claims/terms.js";
import { codeOf, modeInside } from "../whole-file.js";

const NAME = "lock";

/** Who holds a run: enough to tell a live controller from a dead one, and from another process with a recycled pid. */
export type LockHolder = Holder;

export interface Lock extends Lease {
  readonly term: number;
  /** @throws ExternalError `run_lost` where another controller has taken the run: nothing may be written any more */
  readonly requireHeld: () => void;
}

export interface LockFacts extends LifeFacts {
  readonly takeover?: boolean;
  readonly asCopy?: boolean;
  readonly heartbeatMilliseconds?: number;
}

/**
 * Takes the run: creates `lock.<term>` exclusively, so of two newcomers one loses. The highest term is the holder, by the
 * rules of `src/claims`: one that has died is succeeded, also on another host that can be told to be dead.
 * @throws UserError `run_in_use` while another controller lives, or when nothing can be told of its host; `run_copied`
 * where it holds the folder that this is a copy of
 */
export function acquireLock(runFolder: string, facts: LockFacts = {}): Lock {
  const { heartbeatMilliseconds = HEARTBEAT_MILLISECONDS, expiryMilliseconds = EXPIRY_MILLISECONDS } = facts;
  const newest = newestOf(runFolder, NAME);
  refuseIfHeld(runFolder, newest, facts);
  const holder = thisHolder(runFolder, heartbeatMilliseconds, process.env);
  const taken = createExclusively(runFolder, newest.term, holder);
  const lease = keepLease({ name: NAME, ...taken }, holder, { heartbeatMilliseconds, expiryMilliseconds });
  const requireHeld = (): void => {
    if (!lease.isHeld()) throw lost(runFolder);
  };
  return { term: taken.term, ...lease, requireHeld };
}

/** The holder of the run's newest lock, if it is known to be alive and holds this folder, not one it was copied from. */
export function liveHolder(runFolder: string): LockHolder | null {
  const { path, holder } = newestOf(runFolder, NAME);
  if (typeof holder === "string" || isCopied(runFolder, holder)) return null;
  // Whoever may only read has no other clock than this one.
  return lifeOf(path, holder, {}, Date.now()) === "alive" ? holder : null;
}

function refuseIfHeld(runFolder: string, { path, holder }: Newest, facts: LockFacts): void {
  const { takeover = false, asCopy = false } = facts;
  if (holder === "unreadable") throw unreadable(path);
  // One that was copied with its folder holds the other folder.
  if (holder === "free" || (asCopy && !holdsThis(runFolder, holder))) return;
  if (!isOfThisHost(holder)) {
    if (!takeover && lifeOf(path, holder, facts) !== "dead") throw heldElsewhere(runFolder, holder);
    return;
  }
  if (lifeOf(path, holder, facts) === "dead") return;
  throw isCopied(runFolder, holder) ? copied(runFolder, holder) : inUse(runFolder, holder);
}

/** Written aside and linked into place: nobody ever sees a lock that does not name its holder yet. */
function createExclusively(runFolder: string, after: number, holder: Holder): { term: number; path: string } {
  try {
    const taken = takeTerm(runFolder, NAME, { after, holder, mode: modeInside(runFolder) });
    if (taken !== null) return taken;
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

/** Folders of another host have other paths and numbers here; nothing touches the lock of one that was copied from there. */
function isCopied(runFolder: string, holder: Holder): boolean {
  return isOfThisHost(holder) && !holdsThis(runFolder, holder);
}

function inUse(runFolder: string, { pid }: Holder): UserError {
  return new UserError({
    code: "run_in_use",
    message: `\`${runFolder}\` is in use by the controller with process id ${pid}`,
    hint: `look at it with \`npx thawline watch ${runFolder}\`, or stop it with \`npx thawline control ${runFolder} stop\``,
  });
}

function copied(runFolder: string, { pid, folder }: Holder): UserError {
  return new UserError({
    code: "run_copied",
    message: `\`${runFolder}\` is a copy of \`${folder!.path}\`, which the controller with process id ${pid} runs`,
    hint: `\`npx thawline resume ${runFolder} --as-copy\` goes on with the copy as a run of its own`,
  });
}

/** Of another host, or of a container of this one. */
function heldElsewhere(runFolder: string, { pid, host, heartbeatMilliseconds, job }: Holder): UserError {
  const where = host === hostname() ? "in another container of this host" : `on host ${host}`;
  const inJob = job === undefined || job === null ? "" : ` in Slurm job ${job.task ?? job.id}`;
  const minutes = EXPIRY_MILLISECONDS / 60_000;
  const patience =
    heartbeatMilliseconds === undefined ? "" : `it counts as gone once it has been silent for ${minutes} minutes; `;
  return new UserError({
    code: "run_in_use",
    message: `\`${runFolder}\` is held by process ${pid} ${where}${inJob}`,
    hint: `${patience}if that host is gone, add \`--takeover\``,
  });
}

function unreadable(path: string): UserError {
  return new UserError({
    code: "run_in_use",
    message: `\`${path}\` cannot be read, so nothing is known of who holds the run`,
    hint: "make it readable, or remove it if no controller of this run lives",
  });
}

function takenAtTheSameMoment(runFolder: string): UserError {
  return new UserError({
    code: "run_in_use",
    message: `another controller took \`${runFolder}\` at the same moment`,
    hint: `look at it with \`npx thawline watch ${runFolder}\``,
  });
}

function lost(runFolder: string): ExternalError {
  const successor = liveHolder(runFolder);
  const by = successor === null ? "" : ` by process ${successor.pid} on host ${successor.host}`;
  return new ExternalError({
    code: "run_lost",
    message: `\`${runFolder}\` was taken over${by} while this controller could not be heard; it ends and writes nothing more`,
    hint: `look at it with \`npx thawline watch ${runFolder}\``,
  });
}
