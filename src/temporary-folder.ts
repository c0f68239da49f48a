import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { livesHere, startTimeOf, thisProcess, type ProcessIdentity } from "./process-identity.js";
import { PRIVATE_FILE, replaceFile } from "./whole-file.js";

const PREFIX = "thawline-";
/**
 * Who made the folder: by it another controller knows that what is in it is nobody's any more. The folder's name says
 * host and process from its first moment on; the file tells that process from a later one with the same id.
 */
const OWNER_FILE = "owner.json";
const NAME = /^thawline-([0-9a-f]{8})-(\d+)-/;

/** Of the folder that `makeTemporaryFolder` makes under `parent`, with a file of this name in it. */
export function temporaryPathLength(parent: string, file: string): number {
  return Buffer.byteLength(join(resolve(parent), `${ownPrefix()}123456`, file));
}

/**
 * A new folder of this process's (0700) under `parent`; a later controller removes it where this one was killed.
 *
 * @throws UserError, or what the file system says; then nothing is left
 */
export function makeTemporaryFolder(parent: string): string {
  // Whoever is told of it may work in another folder.
  const folder = mkdtempSync(join(resolve(parent), ownPrefix()));
  try {
    replaceFile(join(folder, OWNER_FILE), JSON.stringify(thisProcess()), PRIVATE_FILE);
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what this user's controllers left on this machine, keys and sockets, when they were killed. */
export function removeTemporaryFoldersOfTheDead(parents: readonly string[] = [tmpdir(), "/tmp"]): void {
  for (const parent of new Set(parents)) {
    for (const name of namesIn(parent)) {
      const folder = join(parent, name);
      if (name.startsWith(PREFIX) && isOfTheDead(folder)) rmSync(folder, { recursive: true, force: true });
    }
  }
}

function isOfTheDead(folder: string): boolean {
  try {
    if (statSync(folder).uid !== process.getuid?.()) return false;
  } catch {
    return false;
  }
  // In a container with the same folder, a process of another one only looks dead.
  const owner = ownerOf(folder);
  if (owner !== null) return owner.host === hostname() && !livesHere(owner);
  const [, host, pid] = NAME.exec(basename(folder)) ?? [];
  return host === hostTag() && startTimeOf(Number(pid)) === null;
}

function ownerOf(folder: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER_FILE), "utf8")) as ProcessIdentity;
  } catch {
    return null;
  }
}

function ownPrefix(): string {
  return `${PREFIX}${hostTag()}-${process.pid}-`;
}

function hostTag(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
