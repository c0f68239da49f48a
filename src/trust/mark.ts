import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PRIVATE_FILE, replaceFile } from "../whole-file.js";
import { readTrustKey } from "./key.js";

/** Says that the user has started this run, or has trusted it. Only in run folders of which code of the user's is run. */
export const MARK_FILE = "mark";

/**
 * Marks a run as the user's own. The mark is over what the run executes, so that no journal that executes anything else
 * can be put beside it, and needs the user's key, so that nobody else can make it.
 *
 * @returns why that could not be done, null where it was: a run goes on without
 */
export function writeMark(runFolder: string, code: object, env: NodeJS.ProcessEnv): string | null {
  try {
    const mark = markOf(readTrustKey(env, true), code).toString("hex");
    replaceFile(join(runFolder, MARK_FILE), `${mark}\n`, PRIVATE_FILE);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function hasMark(runFolder: string, code: object, env: NodeJS.ProcessEnv): boolean {
  try {
    const found = Buffer.from(readFileSync(join(runFolder, MARK_FILE), "utf8").trim(), "hex");
    const mark = markOf(readTrustKey(env, false), code);
    return found.length === mark.length && timingSafeEqual(found, mark);
  } catch {
    return false;
  }
}

function markOf(key: Buffer, code: object): Buffer {
  return createHmac("sha256", key)
    .update(`thawline run\n${JSON.stringify(ordered(code))}`)
    .digest();
}

/** With keys in one order, whichever file the configuration was read from. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}
