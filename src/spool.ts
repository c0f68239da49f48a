import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Kept in memory; what is more goes to a file. */
const MEMORY_BYTES = 1 << 20;
const PIECE_BYTES = 1 << 16;

/**
 * Bytes that wait for a reader, first in, first out: so many in memory, the rest in a file that has no name any more and
 * goes with the process. Where no such file can be had, all of them wait in memory.
 */
export class Spool {
  private readonly memory: Buffer[] = [];
  private memoryBytes = 0;
  private file: number | null = null;
  private written = 0;
  private read = 0;

  get isEmpty(): boolean {
    return this.memoryBytes === 0 && this.read === this.written;
  }

  put(bytes: Buffer): void {
    // Behind what is in the file there is no way back into memory but through it.
    const fits = this.read === this.written && this.memoryBytes + bytes.length <= MEMORY_BYTES;
    if (fits || !this.append(bytes)) {
      this.memory.push(bytes);
      this.memoryBytes += bytes.length;
    }
  }

  /** Takes what has waited longest, at most a piece of the file; null where nothing waits. */
  take(): Buffer | null {
    const first = this.memory.shift();
    if (first !== undefined) {
      this.memoryBytes -= first.length;
      return first;
    }
    return this.takeFromFile();
  }

  private append(bytes: Buffer): boolean {
    try {
      this.file ??= namelessFile();
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.file, bytes, done, bytes.length - done, this.written + done);
      }
      this.written += bytes.length;
      return true;
    } catch {
      // Only while nothing waits in the file may memory take over: the order would be lost.
      if (this.read === this.written) return false;
      return this.moveToMemory(bytes);
    }
  }

  /** The disk took no more of it: what is in the file waits in memory from now on. */
  private moveToMemory(bytes: Buffer): boolean {
    const rest: Buffer[] = [];
    for (let piece = this.takeFromFile(); piece !== null; piece = this.takeFromFile()) rest.push(piece);
    for (const piece of [...rest, bytes]) {
      this.memory.push(piece);
      this.memoryBytes += piece.length;
    }
    return true;
  }

  private takeFromFile(): Buffer | null {
    if (this.file === null || this.read === this.written) return null;
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, this.written - this.read));
    const length = readSync(this.file, piece, 0, piece.length, this.read);
    this.read += length;
    if (this.read === this.written) this.forget();
    return piece.subarray(0, length);
  }

  private forget(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
    this.written = 0;
    this.read = 0;
  }
}

/** @throws what the file system says */
function namelessFile(): number {
  const folder = mkdtempSync(join(tmpdir(), "thawline-output-"));
  try {
    return openSync(join(folder, "waiting"), "wx+", 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
