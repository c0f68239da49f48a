import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The paths of everything below a folder, relative to it, sorted.
 *
 * Unlike `readdirSync(…, { recursive: true })` it may run while a program writes there: what goes meanwhile is left
 * out, and is no error.
 */
export function filesUnder(folder: string): string[] {
  return entriesOf(folder)
    .flatMap((entry) => {
      if (!entry.isDirectory()) return [entry.name];
      const below = filesUnder(join(folder, entry.name)).map((path) => join(entry.name, path));
      return [entry.name, ...below];
    })
    .sort();
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
