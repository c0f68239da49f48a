import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { OperatorCommand } from "../core/events.js";
import { CONTROL_FOLDER, type ControlFile } from "./write.js";

/** A larger file is no command of ours. */
const MOST_BYTES = 4096;

const VERBS = new Set<OperatorCommand["verb"]>([
  "pause",
  "continue",
  "evaluate",
  "checkpoint",
  "stop",
  "unfreeze",
  "set-lr",
]);

export interface FoundControlFile {
  readonly path: string;
  /** Null when the file holds no command. */
  readonly request: ControlFile | null;
}

/**
 * The commands that wait in a run's control folder, oldest first; file times are coarse, so names decide between equal
 * ones, and `writeControlFile` gives names that rise. The caller removes each once it is journaled.
 */
export function readControlFiles(runFolder: string): FoundControlFile[] {
  const folder = join(runFolder, CONTROL_FOLDER);
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json") && !entry.name.startsWith("."))
    .map(({ name }) => join(folder, name))
    .map((path) => ({ path, modified: statSync(path).mtimeMs }))
    .sort((a, b) => a.modified - b.modified || (a.path < b.path ? -1 : 1))
    .map(({ path }) => ({ path, request: parse(path) }));
}

export function removeControlFile(path: string): void {
  unlinkSync(path);
}

function parse(path: string): ControlFile | null {
  if (statSync(path).size > MOST_BYTES) return null;
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isControlFile(value) ? value : null;
  } catch {
    return null;
  }
}

function isControlFile(value: unknown): value is ControlFile {
  if (typeof value !== "object" || value === null) return false;
  const { id, epoch, who, command } = value as Partial<ControlFile>;
  if (typeof id !== "string" || typeof epoch !== "number" || typeof who !== "string") return false;
  return isCommand(command);
}

function isCommand(value: unknown): value is OperatorCommand {
  if (typeof value !== "object" || value === null) return false;
  const { verb, at, factor } = value as { verb?: unknown; at?: unknown; factor?: unknown };
  if (!VERBS.has(verb as OperatorCommand["verb"])) return false;
  if (at !== undefined && !(Number.isInteger(at) && (at as number) > 0)) return false;
  return verb !== "set-lr" || typeof factor === "number";
}
