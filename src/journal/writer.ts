import {
  closeSync,
  fchmodSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ExternalError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { codeOf, modeInside, reasonOf, refusedByDisk } from "../whole-file.js";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "./format.js";

/** How long an ordinary record may sit in the page cache: a power cut loses at most this much, and never a decision. */
const SYNC_DELAY_MILLISECONDS = 50;

export interface JournalWriter {
  /**
   * Appends one record. `durable` waits until it is on the disk.
   * @throws ExternalError `journal_unwritable`; `run_lost` where another controller has taken the run
   */
  readonly append: (record: JournalRecord, durable: boolean) => void;
  readonly close: () => void;
}

/**
 * Opens a run's journal for appending, cutting off a torn last line. The caller holds the lock.
 * @param validBytes length of the part that is whole, as `readJournal` found it; 0 creates the journal, and fails where
 * there is one: nothing ever overwrites a run
 * @param onFault hears of an ordinary record that did not reach the disk after all: its controller must not go on
 * unrecorded
 * @param requireHeld throws where the run is no longer its controller's: asked before each record
 * @throws UserError `unwritable_journal`
 */
export function openJournalWriter(
  runFolder: string,
  validBytes: number,
  onFault: (error: unknown) => void,
  requireHeld: () => void = () => undefined,
): JournalWriter {
  const file = openJournal(runFolder, validBytes);
  failpoint("journal.opened");
  let length = validBytes;
  /** Bytes on the disk, and what was last said of them. */
  let synced = 0;
  let said = -1;
  let timer: NodeJS.Timeout | null = null;

  /** @throws ExternalError `journal_unwritable` */
  const sync = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    try {
      fdatasyncSync(file);
      synced = length;
    } catch (error) {
      throw unwritable(error);
    }
  };

  const syncLater = (): void => {
    try {
      sync();
    } catch (error) {
      onFault(error);
    }
  };
  // Before the first record says so: what an earlier controller wrote last may not be there yet.
  if (validBytes > 0) sync();

  const append = (record: JournalRecord, durable: boolean): void => {
    requireHeld();
    const bytes = Buffer.from(encodeRecord(synced === said ? record : { ...record, synced }));
    length += writeWhole(file, bytes, length);
    said = synced;
    // Of a run's creation nothing may be lost: without its first record nothing of a journal can be read.
    if (durable || length === bytes.length) sync();
    else timer ??= setTimeout(syncLater, SYNC_DELAY_MILLISECONDS);
  };

  const close = (): void => {
    sync();
    closeSync(file);
  };
  return { append, close };
}

/** A controller that was killed before its first record was whole has left nothing: the run begins anew. */
export function removeUnbegunJournal(runFolder: string): void {
  const path = join(runFolder, JOURNAL_FILE);
  try {
    if (!readFileSync(path).includes(10)) unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw refusedByDisk(`\`${path}\``, error, "unwritable_journal");
  }
}

function openJournal(runFolder: string, validBytes: number): number {
  const path = join(runFolder, JOURNAL_FILE);
  try {
    const mode = modeInside(runFolder);
    const file = openSync(path, validBytes === 0 ? "wx" : "r+", mode);
    fchmodSync(file, mode);
    ftruncateSync(file, validBytes);
    return file;
  } catch (error) {
    throw refusedByDisk(`\`${path}\``, error, "unwritable_journal");
  }
}

/** All of it or nothing: a full disk must not leave half a record in front of the next one. */
function writeWhole(file: number, bytes: Buffer, position: number): number {
  try {
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(file, bytes, written, bytes.length - written, position + written);
    }
    return written;
  } catch (error) {
    ftruncateSync(file, position);
    throw unwritable(error);
  }
}

function unwritable(error: unknown): ExternalError {
  return new ExternalError({
    code: "journal_unwritable",
    message: `the journal cannot be written (${reasonOf(error)})`,
    hint: "make room or fix the disk, then `npx thawline resume` goes on from the last checkpoint",
  });
}
