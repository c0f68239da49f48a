import { readdirSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { createFile } from "../whole-file.js";
import { readHolder, type FoundHolder, type Holder } from "./holder.js";

/*
 * Files `NAME.<term>` of one folder, of which the highest term is the holder's. Each is made whole under a name that was
 * free, by link: on a local disk as on NFS, of two newcomers one loses. No locks, nothing appended to.
 */

export interface Newest {
  /** 0 where there is none. */
  readonly term: number;
  readonly path: string;
  readonly holder: FoundHolder;
}

/** @throws where the folder cannot be listed */
export function newestOf(folder: string, name: string): Newest {
  const term = highestTerm(folder, name);
  const path = join(folder, `${name}.${term}`);
  return { term, path, holder: term === 0 ? "free" : readHolder(path) };
}

/** @throws where the folder cannot be listed */
export function highestTerm(folder: string, name: string): number {
  return termsIn(folder, name).at(-1) ?? 0;
}

/**
 * Makes the file of the term after `after`, and with it the holder.
 *
 * @returns null where somebody else was faster
 * @throws UserError `unwritable_file`
 */
export function takeTerm(
  folder: string,
  name: string,
  { after, holder, mode }: { readonly after: number; readonly holder: Holder; readonly mode: number },
): { readonly term: number; readonly path: string } | null {
  const term = after + 1;
  const path = join(folder, `${name}.${term}`);
  // A file server may have made the link and lost its answer: whose name is in it has it.
  if (!createFile(path, JSON.stringify(holder), mode) && !isOf(path, holder)) return null;
  const terms = termsIn(folder, name);
  // Whoever was delayed between looking and creating may have reused the number of a term that has come and gone.
  if (terms.at(-1) !== term) {
    removeQuietly(path);
    return null;
  }
  // Older ones have served: the highest term alone decides. Losing a race to remove one is harmless.
  for (const old of terms) if (old !== term) removeQuietly(join(folder, `${name}.${old}`));
  return { term, path };
}

/** An emptied file keeps its term taken and names no holder. */
export function releaseTerm(path: string, holder: Holder): void {
  try {
    // Another folder may be at that path by now, with a file of another process.
    if (isOf(path, holder)) truncateSync(path, 0);
  } catch {
    // The folder may be gone by now; then there is nothing to release.
  }
}

function isOf(path: string, { id }: Holder): boolean {
  const found = readHolder(path);
  return typeof found !== "string" && found.id === id;
}

function termsIn(folder: string, name: string): number[] {
  const numbered = new RegExp(`^${name}\\.(\\d+)$`);
  return readdirSync(folder)
    .flatMap((file) => numbered.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone.
  }
}
