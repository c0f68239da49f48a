import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";

/** Replaces a file whole or not at all: written aside, on the disk, then renamed. */
export function replaceFile(path: string, text: string): void {
  const aside = `${path}.tmp-${process.pid}`;
  const file = openSync(aside, "w", 0o644);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}
