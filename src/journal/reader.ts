import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.js";
import { decodeLine, eventDecoder } from "./decode.js";
import { JOURNAL_FILE, type EventRecord, type JournalRecord } from "./format.js";
import { lostTail, type LostTail } from "./lost-tail.js";

/** How far a journal can be read. */
export interface JournalExtent {
  /** Bytes up to the end of the last whole line; what follows is a line that was being written. */
  readonly validBytes: number;
  /** Behind `validBytes`, where a power cut has damaged what was not yet on the disk; null where nothing is damaged. */
  readonly lost: LostTail | null;
}

export interface JournalContent extends JournalExtent {
  readonly records: readonly JournalRecord[];
}

/** Records that follow each other in a journal. A long one is read piece by piece: whole it would not fit into memory. */
export interface JournalPiece<Read = JournalRecord> {
  readonly records: readonly Read[];
  /** Whether it reaches to the end of what can be read. */
  readonly isLast: boolean;
  /** What cannot be read any more, behind it. */
  readonly lost: LostTail | null;
}

/** What is read at once; twice as much where not even one record fits. */
const BLOCK_BYTES = 1 << 20;

/** What is handed on at once. Of more, the records would outlive a collection of young objects. */
const PIECE_BYTES = 1 << 16;

/** A run's creation, with its configuration, and the start of its first worker; or its end. */
const END_BYTES = 1 << 14;

const NEWLINE = 10;

/**
 * Reads a journal to its last whole line, or to the first line of a tail that a power cut damaged.
 * @throws UserError `no_journal`, `damaged_journal`, and what `decodeLine` throws
 */
export async function readJournal(runFolder: string): Promise<JournalContent> {
  const records: JournalRecord[] = [];
  const extent = await scanJournal(runFolder, (more) => {
    for (const record of more) records.push(record);
  });
  return { records, ...extent };
}

/**
 * Reads a journal as `readJournal` does, and hands each piece on instead of keeping it.
 * @throws UserError as `readJournal` does
 */
export async function scanJournal(
  runFolder: string,
  visit: (records: readonly JournalRecord[]) => void,
): Promise<JournalExtent> {
  return scan(runFolder, decodeLine, visit);
}

/**
 * Reads a journal for whoever reduces it again.
 * @throws UserError as `readJournal` does, but for what is not parsed
 */
export async function scanEvents(
  runFolder: string,
  visit: (records: readonly EventRecord[]) => void,
): Promise<JournalExtent> {
  return scan(runFolder, eventDecoder(), visit);
}

async function scan<Read extends EventRecord>(
  runFolder: string,
  decode: Decode<Read>,
  visit: (records: readonly Read[]) => void,
): Promise<JournalExtent> {
  return withJournal(runFolder, async (file) => {
    const place = beginning(decode);
    for (;;) {
      const piece = await readPiece(file, place);
      visit(piece.records);
      // Whoever can do with what stands in front of the damage has it by now.
      if (piece.damage !== null) throw piece.damage;
      if (piece.isLast) return { validBytes: place.offset, lost: piece.lost };
    }
  });
}

/**
 * The first records of a journal.
 * @throws UserError as `readJournal` does
 */
export async function readHead(runFolder: string): Promise<readonly JournalRecord[]> {
  return withJournal(runFolder, async (file) => {
    const place = { ...beginning(decodeLine), length: END_BYTES };
    for (;;) {
      const piece = await readPiece(file, place);
      if (piece.damage !== null) throw piece.damage;
      if (piece.records.length > 0 || piece.isLast) return piece.records;
    }
  });
}

/**
 * The last whole records of a journal; none where it is shorter than one.
 * @throws UserError as `readJournal` does, also where the tail is damaged
 */
export async function readTail(runFolder: string): Promise<readonly JournalRecord[]> {
  return withJournal(runFolder, async (file) => {
    const { size } = await file.stat();
    const start = Math.max(0, size - END_BYTES);
    const { bytes } = await readBlock(file, start, END_BYTES);
    const from = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const lines = bytes.subarray(from, bytes.lastIndexOf(NEWLINE) + 1);
    const records: JournalRecord[] = [];
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(NEWLINE, at);
      records.push(decodeLine(lines.toString("utf8", at, end), start + from + at));
      at = end + 1;
    }
    return records;
  });
}

/** The journal, open as long as `read` reads it: to open it anew for each piece costs as much as a piece does. */
async function withJournal<T>(runFolder: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await openJournal(runFolder);
  if (file === null) throw noJournal(runFolder);
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** Null where there is no journal. */
async function openJournal(runFolder: string): Promise<FileHandle | null> {
  return open(join(runFolder, JOURNAL_FILE), "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
}

function noJournal(runFolder: string): UserError {
  return new UserError({
    code: "no_journal",
    message: `\`${runFolder}\` is not a run folder: it holds no journal`,
    hint: "name a folder that `npx thawline run` made",
  });
}

type Decode<Read extends EventRecord> = (line: string, offset: number) => Read;

/** Where a reader stands, and how it reads a line. */
interface Place<Read extends EventRecord> {
  readonly decode: Decode<Read>;
  /** The next byte and record number, and the last `synced` that was read. */
  offset: number;
  next: number;
  synced: number | null;
  /** What was read from `offset` on and holds more whole lines. */
  block: Block | null;
  /** How much is read next. */
  length: number;
}

/** Bytes that were read at once, and whether the file ended with them. */
interface Block {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

function beginning<Read extends EventRecord>(decode: Decode<Read>): Place<Read> {
  return { decode, offset: 0, next: 1, synced: null, block: null, length: BLOCK_BYTES };
}

/** `damage`: what stands behind these records had been on the disk, and cannot be read; null where nothing is wrong. */
type ReadPiece<Read> = JournalPiece<Read> & { readonly damage: UserError | null };

/** The piece at `place`, which moves behind it. */
async function readPiece<Read extends EventRecord>(file: FileHandle, place: Place<Read>): Promise<ReadPiece<Read>> {
  const block = place.block ?? (await readBlock(file, place.offset, place.length));
  const { records, numBytes, damage } = parseLines(block.bytes, place);
  place.offset += numBytes;
  place.next += records.length;
  place.synced = records.findLast(({ synced }) => synced !== undefined)?.synced ?? place.synced;
  place.length = numBytes === 0 && !block.isLast ? 2 * place.length : BLOCK_BYTES;
  const rest = block.bytes.subarray(numBytes);
  place.block = rest.includes(NEWLINE) ? { bytes: rest, isLast: block.isLast } : null;
  if (damage === null) return { records, isLast: block.isLast && place.block === null, lost: null, damage };
  // All of what follows says whether this record had been on the disk; whoever looks again reads it anew.
  place.block = null;
  const { bytes } = await readBlock(file, place.offset, Infinity);
  const lost = lostTail(bytes, place.offset, place.synced);
  return { records, isLast: true, lost, damage: lost === null ? damage : null };
}

/** The whole lines with which `bytes` begins, which stand at `place`: a piece of them, as far as they are undamaged. */
function parseLines<Read extends EventRecord>(bytes: Buffer, { decode, offset, next }: Place<Read>) {
  const records: Read[] = [];
  let numBytes = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, numBytes)) {
    if (end > PIECE_BYTES && records.length > 0) break;
    try {
      const record = decode(bytes.toString("utf8", numBytes, end), offset + numBytes);
      requireNext(record.n, next + records.length, offset + numBytes);
      records.push(record);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "damaged_journal") throw error;
      return { records, numBytes, damage: error };
    }
    numBytes = end + 1;
  }
  return { records, numBytes, damage: null };
}

function requireNext(n: number, next: number, offset: number): void {
  if (n === next) return;
  throw new UserError({
    code: "damaged_journal",
    message: `the journal is damaged at byte ${offset}: record ${n} stands where ${next} belongs`,
    hint: "restore the file from a copy",
  });
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

/**
 * Yields the journal's records piece by piece: first what is there, then what is appended, until `signal` aborts.
 * Polls, because change notifications do not cross network file systems. A torn last line is waited for, and so is a
 * damaged tail: another machine's writes may arrive out of order, and a `resume` cuts it off.
 * @throws UserError `damaged_journal`, and what `decodeLine` throws
 */
export function followJournal(runFolder: string, options: FollowOptions): AsyncGenerator<JournalPiece> {
  return follow(runFolder, decodeLine, options);
}

/**
 * The same for whoever reduces it again.
 * @throws UserError as `followJournal` does, but for what is not parsed
 */
export function followEvents(runFolder: string, options: FollowOptions): AsyncGenerator<JournalPiece<EventRecord>> {
  return follow(runFolder, eventDecoder(), options);
}

async function* follow<Read extends EventRecord>(
  runFolder: string,
  decode: Decode<Read>,
  options: FollowOptions,
): AsyncGenerator<JournalPiece<Read>> {
  const place = beginning(decode);
  let lost = -1;
  const isOver = (): boolean => options.signal.aborted;
  while (!isOver()) {
    // Opened at each look: a file that stands in its place by then is the journal.
    const file = await openJournal(runFolder);
    try {
      let behind = false;
      do {
        const { damage, ...piece } = file === null ? NOTHING : await readPiece(file, place);
        if (damage !== null) throw damage;
        const isNews = piece.lost !== null && piece.lost.offset !== lost;
        lost = piece.lost?.offset ?? -1;
        // Whoever waits for the last piece hears of it, also where it is nothing but a torn line.
        if (piece.records.length > 0 || isNews || (piece.isLast && behind)) yield piece;
        behind = !piece.isLast;
      } while (behind && !isOver());
    } finally {
      await file?.close();
    }
    await sleep(options.pollMilliseconds ?? 200, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

const NOTHING: ReadPiece<never> = { records: [], isLast: true, lost: null, damage: null };

async function readBlock(file: FileHandle, offset: number, length: number): Promise<Block> {
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(Math.min(length, Math.max(0, size - offset)));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  return { bytes: buffer.subarray(0, bytesRead), isLast: offset + bytesRead >= size };
}
