import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { holderOf, isClaimFile } from "../claims/claim.js";
import { INBOX_FOLDER } from "../inbox/folder.js";
import { codeOf, PRIVATE_FOLDER, refusedByDisk, removeAsidesOfTheDead } from "../whole-file.js";
import { closeToOthers } from "./folder.js";

/** What the worker of a dead controller was writing; in folders below, the next one to write removes it. */
const DRAFT = ".draft-";

/**
 * Readies the folder of a run for its controller, who holds the lock: closed to others, with an inbox, without what
 * earlier controllers and workers had left half written.
 *
 * @param tell hears of a folder that stays open to others
 * @throws UserError `unwritable_run_folder`
 */
export function prepareRunFolder(runFolder: string, tell: (line: string) => void): void {
  const inbox = join(runFolder, INBOX_FOLDER);
  makeInbox(runFolder, inbox);
  // A file of that name is told of by whoever reads the inbox.
  const isFolder = statSync(inbox, { throwIfNoEntry: false })?.isDirectory() === true;
  for (const folder of isFolder ? [runFolder, inbox] : [runFolder]) {
    removeAsidesOfTheDead(folder);
    if (!closeToOthers(folder, folder === inbox ? false : undefined)) {
      tell(`\`${folder}\` stays open to other users: its mode cannot be changed`);
    }
  }
  // Whoever made the folder and was killed left its claim; one that lives removes its own.
  const isDead = holderOf(runFolder) === null;
  const isLeft = (name: string): boolean => name.startsWith(DRAFT) || (isDead && isClaimFile(name));
  for (const name of readdirSync(runFolder).filter(isLeft)) {
    rmSync(join(runFolder, name), { recursive: true, force: true });
  }
}

function makeInbox(runFolder: string, inbox: string): void {
  try {
    mkdirSync(inbox, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw refusedByDisk(`\`${runFolder}\``, error, "unwritable_run_folder");
  }
}
