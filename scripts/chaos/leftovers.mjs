// Files that no undisturbed run leaves.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const LOCK = /^lock\.\d+$/;

/**
 * What stands in the run folder or the folder for temporary files and should not: names that the undisturbed run does
 * not have, what of its names is missing, and a lock that somebody still holds.
 */
export function leftoversOf({ runFolder, temporaryFolder }, expected) {
  const names = filesOf(runFolder);
  const known = new Set(expected.filter((name) => !LOCK.test(name)));
  const left = names.filter((name) => !known.has(name) && !LOCK.test(name));
  const held = names.filter((name) => LOCK.test(name) && statSync(join(runFolder, name)).size > 0);
  const missing = [...known].filter((name) => !names.includes(name));
  return [
    ...left.map((name) => `left over in the run folder: ${name}`),
    ...held.map((name) => `a lock is still held: ${name}`),
    ...missing.map((name) => `missing in the run folder: ${name}`),
    ...filesOf(temporaryFolder).map((name) => `left over in TMPDIR: ${name}`),
  ];
}

/** Paths of all files and folders below, relative to `folder`. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}
