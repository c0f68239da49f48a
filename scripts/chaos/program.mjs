// One start of the command line in a run's own folders, with the places at which it and its children are to die.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectPython, ROOT } from "../python.mjs";

export const CLI = join(ROOT, "dist", "cli.js");

/** The folders of one run: its own temporary files, cache and home, so that whatever is left over is found. */
export function foldersOf(work, name) {
  const home = join(work, name);
  const folders = { work, home, runFolder: join(home, "run"), temporaryFolder: join(home, "tmp") };
  for (const folder of [home, folders.temporaryFolder, join(home, "hits")]) mkdirSync(folder, { recursive: true });
  return folders;
}

/** The environment of everything that is started for the run. */
export function environmentOf({ home, temporaryFolder }) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("THAWLINE_"));
  return {
    ...Object.fromEntries(kept),
    TMPDIR: temporaryFolder,
    THAWLINE_CACHE: join(home, "cache"),
    THAWLINE_PYTHON: projectPython(),
    // PyTorch makes it in TMPDIR, whoever kills whom.
    TORCHINDUCTOR_CACHE_DIR: join(home, "inductor"),
  };
}

/** What is armed: `name:passage@file` for each, where the file tells that it was hit. */
export function armed(hits) {
  return hits.map(({ when, file }) => `${when.name}:${when.passage}@${file}`).join(";");
}

/** A started command: `end` is its exit code or the signal that ended it, null while it runs. */
export function start(folders, args, failpoints) {
  const log = openSync(join(folders.home, "output.log"), "a");
  const environment = { ...environmentOf(folders), ...(failpoints === "" ? {} : { THAWLINE_FAILPOINT: failpoints }) };
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folders.home,
    env: environment,
    stdio: ["ignore", log, log],
    // Signals to this script's group are this script's to hand on.
    detached: true,
  });
  closeSync(log);
  const program = { pid: child.pid, end: null, began: performance.now() };
  child.once("error", (error) => (program.end = error.code));
  child.once("exit", (code, signal) => (program.end = signal ?? code));
  return program;
}

/** The end of what the run's commands printed. */
export function outputOf({ home }, lines = 12) {
  const path = join(home, "output.log");
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n") : "";
}

/** Whether there is a record to go on from. */
export function hasJournal({ runFolder }) {
  const journal = statSync(join(runFolder, "journal"), { throwIfNoEntry: false });
  return journal !== undefined && journal.size > 0;
}
