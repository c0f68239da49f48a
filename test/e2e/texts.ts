import { existsSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { inject } from "vitest";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";

/** Scripts that need transformers are forked by the nursery where this is theirs. */
export const LIKE_A_WORKER = { PYTHONPATH: join(PACKAGE_ROOT, "python") };

const WRITER = resolve(import.meta.dirname, "../fixtures/write_texts.py");

/**
 * A folder with what a small run on text needs: `encoder` (a tiny XLM-R), `xquad`, `squad`, `mlqa` and `nli`. Written once for
 * all test files. `xquad` names a folder with the real XQuAD, to be used in place of texts made by hand.
 */
export async function writtenTexts(xquad?: string): Promise<string> {
  const folder = join(inject("sharedFolder"), xquad === undefined ? "texts" : "texts-with-xquad");
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  const python = await findPython({ env: process.env, packageRoot: PACKAGE_ROOT });
  await execa(python.command, [WRITER, draft, ...(xquad === undefined ? [] : [xquad])], { env: LIKE_A_WORKER });
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another test file was faster: what it wrote is the same.
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
