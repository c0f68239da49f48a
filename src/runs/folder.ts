import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { attachedConfigSchema, type RunConfig } from "../config/attached.js";
import type { Settings } from "../config/layers/layers.js";
import { configSchema } from "../config/schema.js";
import { claim, claimFile, isClaimFile } from "../claims/claim.js";
import { UserError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { singleLine } from "../printable.js";
import { codeOf, createFile, isAside, modeInside, PRIVATE_FOLDER, refusedByDisk } from "../whole-file.js";

const CONFIG_FILE = "config.yaml";
const GROUP_READABLE_FOLDER = 0o750;
/** Inherited from the folder above, where a group shares it. */
const SET_GROUP = 0o2000;

export interface NewRunFolder {
  /** What was left out of the configuration, as comments above it. */
  readonly leftOut?: readonly string[];
  /** Whether a folder that somebody else made at the same moment gives way to one with a number. */
  readonly numbered?: boolean;
  /** Whether the user's group may read it. */
  readonly groupReadable?: boolean;
  /** A file that is there before the configuration, from which on `resume` can begin the run; what killed this may leave it. */
  readonly first?: { readonly name: string; readonly write: (folder: string) => void };
}

/** Seconds are enough for a folder name; a second run in the same second gets a number. */
export function runTimestamp(now: Date): string {
  return now
    .toISOString()
    .replaceAll(/[-:]/g, "")
    .replace(/\.\d+Z$/, "Z");
}

/** The folder of a new run: the one asked for, or `runs/<name>-<UTC time>` under the current folder. */
export function chooseRunFolder(config: RunConfig, asked: string | undefined, cwd: string, now: Date): string {
  return asked === undefined ? join(cwd, "runs", `${config.name}-${runTimestamp(now)}`) : resolve(cwd, asked);
}

/**
 * Makes the folder of a new run with its resolved configuration, or nothing, for nobody but the user. Returns its path;
 * no other process gets the same one.
 *
 * @throws UserError `run_exists`, `unwritable_run_folder`
 */
export function createRunFolder(folder: string, config: RunConfig, options: NewRunFolder = {}): string {
  try {
    mkdirSync(dirname(folder), { recursive: true });
  } catch (error) {
    // What exists and is in the way of a folder is a file.
    const inTheWay = Object.assign(new Error(), { code: "ENOTDIR", syscall: "mkdir" });
    throw refused(folder, codeOf(error) === "EEXIST" ? inTheWay : error);
  }
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? folder : `${folder}-${number}`;
    const made = makeFolder(candidate);
    if (!made && options.numbered === true) continue;
    if (!made && !isFree(candidate, options.first?.name)) throw runExists(candidate);
    try {
      if (fillFolder(candidate, config, options)) return candidate;
    } catch (error) {
      if (made && options.first !== undefined) rmSync(join(candidate, options.first.name), { force: true });
      if (made) removeIfEmpty(candidate);
      throw refused(candidate, error instanceof UserError ? error.cause : error);
    }
    throw runExists(candidate);
  }
}

/** False, and nothing is changed, where another process fills it, or has since the look at what is in it. */
function fillFolder(folder: string, config: RunConfig, { first, groupReadable, leftOut }: NewRunFolder): boolean {
  const held = claim(folder);
  if (held === null) return false;
  try {
    if (!isFree(folder, first?.name)) return false;
    closeToOthers(folder, groupReadable ?? false);
    first?.write(folder);
    return writeConfig(folder, config, leftOut ?? []);
  } finally {
    held.release();
    rmSync(claimFile(folder, held), { force: true });
  }
}

/**
 * Takes from a run folder what others may do there: its journal has commands with their arguments, and a request in its
 * inbox steers the run. A folder that the group alone may read stays so.
 *
 * @returns whether it is closed; not every file system has modes, and not every folder is the user's own
 */
export function closeToOthers(folder: string, groupReadable?: boolean): boolean {
  const mode = statSync(folder).mode & 0o3777;
  const open = groupReadable ?? (mode & 0o777) === GROUP_READABLE_FOLDER;
  const wanted = (mode & SET_GROUP) | (open ? GROUP_READABLE_FOLDER : PRIVATE_FOLDER);
  if (mode === wanted) return true;
  try {
    chmodSync(folder, wanted);
  } catch {
    // Said by what follows.
  }
  return (statSync(folder).mode & ~wanted & 0o777) === 0;
}

/**
 * The configuration that `createRunFolder` wrote.
 *
 * @throws UserError `damaged_run_config`
 */
export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, CONFIG_FILE);
  try {
    const content = parse(readFileSync(path, "utf8")) as Settings;
    return "script" in content ? attachedConfigSchema.parse(content) : configSchema.parse(content);
  } catch (error) {
    throw new UserError({
      code: "damaged_run_config",
      message: `\`${path}\` is not the configuration that a run was begun with`,
      hint: "start another run with `npx thawline run`",
      cause: error,
    });
  }
}

/** Whether a run was to begin here whose first record was never written: a configuration, and no record. */
export function wasNeverBegun(folder: string): boolean {
  if (!existsSync(join(folder, CONFIG_FILE))) return false;
  try {
    return !readFileSync(join(folder, JOURNAL_FILE)).includes(10);
  } catch (error) {
    return codeOf(error) === "ENOENT";
  }
}

function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: PRIVATE_FOLDER });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw refused(folder, error);
  }
}

function writeConfig(folder: string, config: RunConfig, leftOut: readonly string[]): boolean {
  const notes = leftOut.map((sentence) => `# ${singleLine(sentence)}\n`).join("");
  const made = createFile(join(folder, CONFIG_FILE), `${notes}${stringify(config)}`, modeInside(folder));
  failpoint("run-folder.made");
  return made;
}

function isFree(folder: string, first: string | undefined): boolean {
  try {
    return readdirSync(folder).every((name) => name === first || isAside(name) || isClaimFile(name));
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return false;
    throw refused(folder, error);
  }
}

function runExists(folder: string): UserError {
  const isRun = existsSync(join(folder, JOURNAL_FILE)) || existsSync(join(folder, CONFIG_FILE));
  return new UserError({
    code: "run_exists",
    message: `\`${folder}\` exists and is not an empty folder`,
    hint: isRun
      ? `go on with it by \`npx thawline resume ${folder}\`, or choose another \`--run-dir\``
      : "choose another `--run-dir`: no run is in this one",
  });
}

function refused(folder: string, error: unknown): unknown {
  const facts = refusedByDisk(`\`${folder}\``, error, "unwritable_run_folder");
  if (!(facts instanceof UserError)) return facts;
  const { code, message, cause } = facts;
  return new UserError({ code, message, hint: "choose a writable folder with `--run-dir`", cause });
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something else is in it.
  }
}
