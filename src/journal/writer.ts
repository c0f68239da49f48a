import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ExternalError } from "../errors.js";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "./format.js";

/** How long an ordinary record may sit in the page cache: a power cut loses at most this much, and never a decision. */
const SYNC_DELAY_MILLISECONDS = 50;

export interface JournalWriter {
  /** Appends one record. `durable` waits until it is on the disk. Throws ExternalError `journal_unwritable`. */
  readonly append: (record: JournalRecord, durable: boolean) => void;
  readonly close: () => void;
}

/**
 * Opens a run's journal for appending, cutting off a torn last line. The caller holds the lock.
 * @param validBytes length of the part that is whole, as `readJournal` found it; 0 creates the journal, and fails where
 * there is one: nothing ever overwrites a run
 */
export function openJournalWriter(runFolder: string, validBytes: number): JournalWriter {
  const file = openSync(join(runFolder, JOURNAL_FILE), validBytes === 0 ? "wx" : "r+", 0o644);
  ftruncateSync(file, validBytes);
  let length = validBytes;
  let timer: NodeJS.Timeout | null = null;

  /** @throws ExternalError `journal_unwritable`; out of the timer it ends the controller, which must not go on unrecorded */
  const sync = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    try {
      fdatasyncSync(file);
    } catch (error) {
      throw unwritable(error);
    }
  };

  const append = (record: JournalRecord, durable: boolean): void => {
    const bytes = Buffer.from(encodeRecord(record));
    length += writeWhole(file, bytes, length);
    if (durable) sync();
    else timer ??= setTimeout(sync, SYNC_DELAY_MILLISECONDS);
  };

  const close = (): void => {
    sync();
    closeSync(file);
  };
  return { append, close };
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
  const why = (error as NodeJS.ErrnoException).code ?? String(error);
  return new ExternalError({
    code: "journal_unwritable",
    message: `the journal cannot be written (${why})`,
    hint: "make room or fix the disk, then `npx thawline resume` goes on from the last checkpoint",
  });
}
