import { closeSync, openSync } from "node:fs";

/** Where this process is to die: `name:passage`, or `name:passage@file`; several are joined by semicolons. */
const VARIABLE = "THAWLINE_FAILPOINT";
const ENTRY = /^([a-z-]+\.[a-z-]+):([1-9]\d*)(?:@(.+))?$/;

const passages = new Map<string, number>();

/**
 * A place with a name at which a process may be made to die as by a power cut, for `npm run chaos`: by SIGKILL to
 * itself, at the passage that `THAWLINE_FAILPOINT` names, and with a file once in all processes that are told of it:
 * only the one that can create the file dies. Without the variable nothing happens. The names are in
 * `scripts/chaos/failpoints.json`; `python/thawline/failpoint.py` is the worker's.
 */
export function failpoint(name: string): void {
  const setting = process.env[VARIABLE];
  if (setting === undefined || setting === "") return;
  const passage = (passages.get(name) ?? 0) + 1;
  passages.set(name, passage);
  for (const entry of setting.split(";")) {
    const [, named, at, file] = ENTRY.exec(entry) ?? [];
    if (named === undefined) throw new Error(`${VARIABLE}: \`${entry}\` is not of the form \`name:passage@file\``);
    if (named === name && Number(at) === passage && isFirst(file)) process.kill(process.pid, "SIGKILL");
  }
}

function isFirst(file: string | undefined): boolean {
  if (file === undefined) return true;
  try {
    closeSync(openSync(file, "wx"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
