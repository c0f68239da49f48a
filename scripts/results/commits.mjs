// Of which commit the code was that made a run: noted beside its folder whenever it is started or resumed, since the
// commit of its summary may be a later one.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

const fileBeside = (runFolder) => `${runFolder}.commits`;

/** The commit that is checked out at `root`, with `-dirty` where files differ from it; null where there is none. */
export function commitAt(root) {
  const { stdout } = spawnSync("git", ["describe", "--always", "--dirty", "--exclude", "*"], {
    cwd: root,
    encoding: "utf8",
  });
  return stdout?.trim() || null;
}

export function noteCommit(runFolder, commit) {
  if (commit !== null) appendFileSync(fileBeside(runFolder), `${commit}\n`);
}

/** Each commit that worked on a run, in order, or null where nobody noted one. */
export function notedCommits(runFolder) {
  if (!existsSync(fileBeside(runFolder))) return null;
  const commits = readFileSync(fileBeside(runFolder), "utf8").trimEnd().split("\n");
  return [...new Set(commits)].join(", ");
}
