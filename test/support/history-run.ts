import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const HISTORIES = resolve(import.meta.dirname, "..", "histories");

/** A run folder with a recorded journal in it, and nothing else. */
export function historyRun(name: string, folder = join(mkdtempSync(join(tmpdir(), "history-")), "run")): string {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(HISTORIES, `v0.1.0-${name}.journal`), join(folder, "journal"));
  return folder;
}
