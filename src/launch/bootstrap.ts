import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { makeTemporaryFolder } from "../temporary-folder.js";
import { codeOf, PRIVATE_FILE, refusedByDisk, replaceFile } from "../whole-file.js";

/** What a worker reads at start: where its controller is, and the keys to talk to it (python/thawline/wire/bootstrap.py). */
export interface Bootstrap {
  endpoint: string;
  server_key: string;
  public_key: string;
  secret_key: string;
  run: string;
  attempt: number;
  controller_pid: number;
}

const BOOTSTRAP_FILE = "bootstrap.json";

/**
 * Writes the file (0600) into a new folder (0700) under `parent` and returns its path. The secret key is in no argument
 * list and no job script, which other users of the machine can read.
 *
 * @throws UserError `unwritable_temporary_folder`
 */
export async function writeBootstrap(bootstrap: Bootstrap, parent: string = tmpdir()): Promise<string> {
  let folder: string | null = null;
  try {
    folder = makeTemporaryFolder(parent);
    const path = join(folder, BOOTSTRAP_FILE);
    replaceFile(path, JSON.stringify(bootstrap), PRIVATE_FILE);
    failpoint("bootstrap.written");
    return path;
  } catch (error) {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
    throw refusedTemporary(parent, error);
  }
}

/** Removes the file and its folder; without effect where they are gone already. */
export async function removeBootstrap(path: string): Promise<void> {
  await rm(dirname(path), { recursive: true, force: true });
}

/**
 * Whether a worker's keys could be written: asked before a run folder is made.
 *
 * @throws UserError `unwritable_temporary_folder`
 */
export function requireTemporaryFolder(parent: string = tmpdir()): void {
  let folder: string | null = null;
  try {
    folder = makeTemporaryFolder(parent);
  } catch (error) {
    throw refusedTemporary(parent, error);
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

function refusedTemporary(parent: string, error: unknown): unknown {
  const reason = error instanceof UserError ? error.cause : error;
  if (codeOf(reason) === null) return error;
  const refused = refusedByDisk(
    `the folder for temporary files, \`${parent}\`,`,
    reason,
    "unwritable_temporary_folder",
  );
  const { code, message } = refused as UserError;
  const hint = "a worker gets its keys there: set TMPDIR to a folder that exists and has room";
  return new UserError({ code, message, hint, cause: error });
}
