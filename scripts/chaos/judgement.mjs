// Whether a run that was killed is the one that was not.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { evidenceOf, firstDifference } from "./evidence.mjs";
import { leftoversOf } from "./leftovers.mjs";
import { CLI, environmentOf } from "./program.mjs";

/** What is wrong with a finished run, in sentences; `reference` is `{ evidence, names }` of the undisturbed one. */
export async function problemsOf(folders, reference) {
  const problems = [];
  try {
    const difference = firstDifference(reference.evidence, await evidenceAt(folders));
    if (difference !== null) problems.push(`not the same: ${difference}`);
  } catch (error) {
    problems.push(`no run to compare: ${error.message}`);
  }
  const replayed = spawnSync(process.execPath, [CLI, "replay", folders.runFolder], {
    env: environmentOf(folders),
    encoding: "utf8",
  });
  if (replayed.status !== 0) problems.push(`\`replay\` ends with ${replayed.status}: ${replayed.stderr.trim()}`);
  // A home is removed only when all is well, and so is what is left over in it.
  problems.push(...leftoversOf(folders, reference.names), ...leftoversInCache(folders));
  return problems;
}

/** Evidence in which the folders of the run do not occur. */
export async function evidenceAt({ home, runFolder }) {
  return JSON.parse(JSON.stringify(await evidenceOf(runFolder)).replaceAll(home, "HOME"));
}

/** Entries of the cache are written aside under a name that begins with a dot. */
function leftoversInCache({ home }) {
  const cache = join(home, "cache");
  if (!existsSync(cache)) return [];
  return readdirSync(cache, { recursive: true, encoding: "utf8" })
    .filter((name) => name.split("/").at(-1).startsWith("."))
    .map((name) => `left over in the cache: ${name}`);
}
