import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.js";
import { decodeLine, JOURNAL_FILE, type JournalRecord } from "./format.js";

export interface JournalContent {
  readonly records: readonly JournalRecord[];
  /** Bytes up to the end of the last whole line; what follows is a line that was being written. */
  readonly validBytes: number;
  readonly totalBytes: number;
}

/**
 * Reads a journal to its last whole line.
 * @throws UserError `no_journal`, `damaged_journal`
 */
export async function readJournal(runFolder: string): Promise<JournalContent> {
  const path = join(runFolder, JOURNAL_FILE);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") {
      throw new UserError({
        code: "no_journal",
        message: `\`${runFolder}\` is not a run folder: it holds no journal`,
        hint: "name a folder that `npx thawline run` made",
      });
    }
    throw error;
  });
  const { records, validBytes } = parseLines(bytes, 0, 1);
  return { records, validBytes, totalBytes: bytes.length };
}

/** Parses the whole lines of `bytes`; `start` is their offset in the file, `next` the expected record number. */
function parseLines(bytes: Buffer, start: number, next: number): { records: JournalRecord[]; validBytes: number } {
  const records: JournalRecord[] = [];
  let offset = 0;
  for (let end = bytes.indexOf(10, offset); end !== -1; end = bytes.indexOf(10, offset)) {
    const record = decodeLine(bytes.toString("utf8", offset, end), start + offset);
    if (record.n !== next + records.length) {
      throw new UserError({
        code: "damaged_journal",
        message: `the journal is damaged at byte ${start + offset}: record ${record.n} stands where ${next + records.length} belongs`,
        hint: "restore the file from a copy",
      });
    }
    records.push(record);
    offset = end + 1;
  }
  return { records, validBytes: offset };
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

/**
 * Yields the journal's records in batches: first what is there, then what is appended, until `signal` aborts.
 * Polls, because change notifications do not cross network file systems. A torn last line is waited for.
 */
export async function* followJournal(runFolder: string, options: FollowOptions): AsyncGenerator<JournalRecord[]> {
  const path = join(runFolder, JOURNAL_FILE);
  let offset = 0;
  let next = 1;
  while (!options.signal.aborted) {
    const bytes = await readFrom(path, offset);
    const { records, validBytes } = parseLines(bytes, offset, next);
    offset += validBytes;
    next += records.length;
    if (records.length > 0) yield records;
    await sleep(options.pollMilliseconds ?? 200, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
