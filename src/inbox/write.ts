import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { OperatorRequest } from "../core/events.js";
import { codeOf, PRIVATE_FILE, PRIVATE_FOLDER, refusedByDisk, replaceFile } from "../whole-file.js";
import { INBOX_FOLDER } from "./folder.js";
// The type alone: the view writes requests, and loading the library of schemas takes a tenth of its start.
import type { RequestFile } from "./request-file.js";

/** Rises from one request to the next, so that the order of names is the order of requests. */
function microsecondsSinceEpoch(): string {
  return String(Math.floor((performance.timeOrigin + performance.now()) * 1000));
}

/**
 * Leaves a request for the controller of `term`, whole or not at all. Returns its id.
 *
 * @throws UserError `unwritable_inbox`, `unwritable_file`
 */
export function writeRequestFile(
  runFolder: string,
  file: { readonly term: number; readonly who: string; readonly request: OperatorRequest },
): string {
  const id = `${microsecondsSinceEpoch()}-${randomUUID()}`;
  const folder = join(runFolder, INBOX_FOLDER);
  try {
    // Not with the folders above: a run folder that is gone is not to come back empty.
    mkdirSync(folder, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw refusedByDisk(`\`${folder}\``, error, "unwritable_inbox");
  }
  replaceFile(join(folder, `${id}.json`), JSON.stringify({ id, ...file } satisfies RequestFile), PRIVATE_FILE);
  return id;
}
