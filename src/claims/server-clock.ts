import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { PRIVATE_FILE } from "../whole-file.js";

/** How long a reading is carried on by this machine's monotonic clock. */
const READING_MILLISECONDS = 10_000;

const readings = new Map<number, { readonly at: number; readonly server: number }>();

/**
 * The time of the file server behind `folder`: what it gives a file that is written now. Clocks of hosts differ, so this
 * one alone is compared with what other hosts have written.
 *
 * @returns milliseconds since 1970; null where nothing can be written there
 */
export function serverTime(folder: string): number | null {
  try {
    const { dev } = statSync(folder);
    const at = performance.now();
    const known = readings.get(dev);
    if (known !== undefined && at - known.at < READING_MILLISECONDS) return known.server + (at - known.at);
    const server = timeOfAWrite(folder);
    readings.set(dev, { at, server });
    return server;
  } catch {
    return null;
  }
}

/**
 * How long ago the file was written, by its server's clock.
 *
 * @param otherwise the time to compare with where nothing can be written there
 * @returns milliseconds; null where it cannot be told
 */
export function silenceOf(path: string, otherwise: number | null): number | null {
  const now = serverTime(dirname(path)) ?? otherwise;
  if (now === null) return null;
  try {
    // Opened, since a network's file system asks its server then, and may answer from memory otherwise.
    const file = openSync(path, "r");
    try {
      return now - fstatSync(file).mtimeMs;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

function timeOfAWrite(folder: string): number {
  // Named as files being written are: who finds it after a kill removes it.
  const path = join(folder, `.clock.tmp-${process.pid}-${randomUUID().slice(0, 8)}`);
  const file = openSync(path, "wx", PRIVATE_FILE);
  try {
    writeSync(file, "?");
    fsyncSync(file);
    return fstatSync(file).mtimeMs;
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
}
