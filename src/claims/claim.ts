import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { codeOf, PRIVATE_FILE, PRIVATE_FOLDER, refusedByDisk } from "../whole-file.js";
import { holdsThis, thisHolder, type Holder } from "./holder.js";
import { keepLease, type Lease } from "./lease.js";
import { EXPIRY_MILLISECONDS, HEARTBEAT_MILLISECONDS, isOfThisHost, lifeOf, type LifeFacts } from "./life.js";
import { newestOf, takeTerm } from "./terms.js";

const NAME = "claim";

/** What somebody holds. Who has lost it stops before the next write: `isHeld` is asked before each. */
export interface Claim extends Lease {
  readonly term: number;
}

export interface ClaimFacts extends LifeFacts {
  readonly heartbeatMilliseconds?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Takes a folder, so that of all processes on all hosts one works at what it stands for: creates `claim.<term>` in it.
 * Holds it until it is released, this process dies, or it falls silent and another host takes it.
 *
 * @param folder made where there is none
 * @returns null while somebody else holds it, also where nothing can be told of that holder
 * @throws UserError `unwritable_file`
 */
export function claim(folder: string, facts: ClaimFacts = {}): Claim | null {
  const { heartbeatMilliseconds = HEARTBEAT_MILLISECONDS, expiryMilliseconds = EXPIRY_MILLISECONDS } = facts;
  makeFolder(folder);
  const { term: after, path, holder: found } = newestOf(folder, NAME);
  if (found === "unreadable") return null;
  if (found !== "free" && !isOver(folder, path, found, facts)) return null;
  const holder = thisHolder(folder, heartbeatMilliseconds, facts.env ?? process.env);
  const taken = takeTerm(folder, NAME, { after, holder, mode: PRIVATE_FILE });
  if (taken === null) return null;
  const lease = keepLease({ name: NAME, ...taken }, holder, { heartbeatMilliseconds, expiryMilliseconds });
  return { term: taken.term, ...lease };
}

/** The file of a claim, which its holder may remove once it is released. */
export function claimFile(folder: string, { term }: Pick<Claim, "term">): string {
  return join(folder, `${NAME}.${term}`);
}

/** Whether `name` is of a claim, be it released, or of the dead. */
export function isClaimFile(name: string): boolean {
  return name.startsWith(`${NAME}.`) && /^\d+$/.test(name.slice(NAME.length + 1));
}

/** Who holds the folder, as far as can be told: for views, which decide nothing by it. Null where nobody does. */
export function holderOf(folder: string, facts: LifeFacts = {}): Holder | null {
  try {
    const { path, holder } = newestOf(folder, NAME);
    if (typeof holder === "string") return null;
    // Whoever may only read has no other clock than this one.
    const isLive = lifeOf(path, holder, facts, Date.now()) === "alive" && !isCopied(folder, holder);
    return isLive ? holder : null;
  } catch (error) {
    if (codeOf(error) !== null) return null;
    throw error;
  }
}

function isOver(folder: string, path: string, holder: Holder, facts: LifeFacts): boolean {
  return isCopied(folder, holder) || lifeOf(path, holder, facts) === "dead";
}

/** Folders of another host have other paths and numbers here; one that was copied from there is never touched. */
function isCopied(folder: string, holder: Holder): boolean {
  return isOfThisHost(holder) && !holdsThis(folder, holder);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw refusedByDisk(`\`${folder}\``, error);
  }
}
