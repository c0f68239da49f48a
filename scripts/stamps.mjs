// Stamps: a step that finished leaves the digest of what it was made from, written last. So an interrupted step is
// never taken for a finished one, and a step whose inputs did not change is skipped.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What dist/ is made from. */
export const BUILD_INPUTS = ["src", "tsconfig.json", "tsconfig.build.json", "package-lock.json"];
export const BUILD_STAMP = join("dist", ".thawline-stamp");

/** Digest over names and contents of files; a folder stands for all files in it. */
export function digestOf(root, paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => filesIn(join(root, path))).sort()) {
    const content = readFileSync(file);
    // With the length in front, moving bytes from one file to the next changes the digest.
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesIn(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

/** Whether the step that owns `stamp` finished with exactly these inputs. */
export function isCurrent(stamp, digest) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
}

export function writeStamp(stamp, digest) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(`${stamp}.new`, digest);
  renameSync(`${stamp}.new`, stamp);
}
