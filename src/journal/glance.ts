import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { codeOf } from "../whole-file.js";
import { decodeLine } from "./decode.js";
import { JOURNAL_FILE, type JournalRecord } from "./format.js";

const BLOCK_BYTES = 1 << 20;

/** Of what has come, so much is decoded whatever stands in it: how far a run is stands near the end. */
const END_BYTES = 1 << 13;

const NEWLINE = 10;

/**
 * Looks at a journal again and again, for whoever shows many runs and reduces none: each time at what has been appended,
 * of which records are decoded that hold a word, and the last few. The rest is passed over as bytes.
 */
export class Glance {
  private offset = 0;
  private readonly words: readonly Buffer[];

  /** @param words as they stand in the journal's lines */
  constructor(
    private readonly runFolder: string,
    words: readonly string[],
  ) {
    this.words = words.map((word) => Buffer.from(word));
  }

  /** In the order of the journal; none where there is no journal, nothing new, or what is new cannot be read yet. */
  async take(): Promise<readonly JournalRecord[]> {
    const file = await openThere(join(this.runFolder, JOURNAL_FILE));
    if (file === null) return [];
    try {
      const { size } = await file.stat();
      // Another journal stands in its place, or a resume has cut off a damaged tail.
      if (size < this.offset) this.offset = 0;
      const found: JournalRecord[] = [];
      while (this.offset < size) {
        const records = await this.takeBlock(file, size);
        if (records === null) break;
        found.push(...records);
      }
      return found;
    } finally {
      await file.close();
    }
  }

  /** Null where no line is whole. */
  private async takeBlock(file: FileHandle, size: number): Promise<readonly JournalRecord[] | null> {
    for (let length = BLOCK_BYTES; ; length *= 2) {
      const bytes = Buffer.allocUnsafe(Math.min(length, size - this.offset));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, this.offset);
      const end = bytes.lastIndexOf(NEWLINE, bytesRead - 1) + 1;
      if (end === 0 && this.offset + bytesRead < size) continue;
      if (end === 0) return null;
      const records = this.decode(bytes.subarray(0, end), size);
      this.offset += end;
      return records;
    }
  }

  private decode(lines: Buffer, size: number): readonly JournalRecord[] {
    const starts = new Set(this.words.flatMap((word) => linesWith(lines, word)));
    const last = Math.max(0, size - END_BYTES - this.offset);
    const from = last === 0 ? 0 : lines.indexOf(NEWLINE, last) + 1;
    if (from > 0 || last === 0) {
      for (let at = from; at < lines.length; at = lines.indexOf(NEWLINE, at) + 1) starts.add(at);
    }
    return [...starts].sort((a, b) => a - b).flatMap((at) => this.decodeAt(lines, at));
  }

  private decodeAt(lines: Buffer, at: number): readonly JournalRecord[] {
    try {
      return [decodeLine(lines.toString("utf8", at, lines.indexOf(NEWLINE, at)), this.offset + at)];
    } catch (error) {
      // Whoever opens the run is told what is wrong with it.
      if (error instanceof UserError) return [];
      throw error;
    }
  }
}

/** Where the lines begin that hold `word`. */
function linesWith(lines: Buffer, word: Buffer): number[] {
  const starts: number[] = [];
  for (let at = lines.indexOf(word); at !== -1;) {
    starts.push(lines.lastIndexOf(NEWLINE, at) + 1);
    at = lines.indexOf(word, lines.indexOf(NEWLINE, at));
  }
  return starts;
}

async function openThere(path: string): Promise<FileHandle | null> {
  return open(path, "r").catch((error: unknown) => {
    if (codeOf(error) === null) throw error;
    return null;
  });
}
