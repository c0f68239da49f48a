import { randomUUID } from "node:crypto";
import { mkdtemp, open, rename, rmdir, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What a worker reads at start: where its controller is, and the keys to talk to it (python/thawline/bootstrap.py). */
export interface Bootstrap {
  endpoint: string;
  server_key: string;
  public_key: string;
  secret_key: string;
  run: string;
  attempt: number;
  controller_pid: number;
}

const FOLDER_PREFIX = "thawline-";

/**
 * Writes the file (0600) into a new folder (0700) under `parent` and returns its path. The secret key is in no argument
 * list and no job script, which other users of the machine can read.
 */
export async function writeBootstrap(bootstrap: Bootstrap, parent: string = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, FOLDER_PREFIX));
  const path = join(folder, "bootstrap.json");
  const unfinished = join(folder, randomUUID());
  const file = await open(unfinished, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify(bootstrap));
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  return path;
}

/** Removes the file and its folder; without effect where they are gone already. */
export async function removeBootstrap(path: string): Promise<void> {
  await unlink(path).catch(unlessGone);
  await rmdir(dirname(path)).catch(unlessGone);
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
