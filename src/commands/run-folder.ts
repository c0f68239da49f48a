import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { attachedConfigSchema, type RunConfig } from "../config/attached.js";
import type { Settings } from "../config/layers.js";
import { configSchema } from "../config/schema.js";
import { UserError } from "../errors.js";

const CONFIG_FILE = "config.yaml";

/** Seconds are enough for a folder name; a second run in the same second gets a number. */
export function runTimestamp(now: Date): string {
  return now
    .toISOString()
    .replaceAll(/[-:]/g, "")
    .replace(/\.\d+Z$/, "Z");
}

/** The folder of a new run: the one asked for, or `runs/<name>-<UTC time>` under the current folder. */
export function chooseRunFolder(config: RunConfig, asked: string | undefined, cwd: string, now: Date): string {
  if (asked !== undefined) return resolve(cwd, asked);
  const base = join(cwd, "runs", `${config.name}-${runTimestamp(now)}`);
  for (let number = 2; ; number += 1) {
    const folder = number === 2 && !existsSync(base) ? base : `${base}-${number}`;
    if (!existsSync(folder)) return folder;
  }
}

/**
 * Makes the folder of a new run with its resolved configuration, or nothing.
 * @throws UserError `run_exists`, `unwritable_run_folder`
 */
export function createRunFolder(folder: string, config: RunConfig): void {
  if (existsSync(folder) && !isEmptyFolder(folder)) {
    throw new UserError({
      code: "run_exists",
      message: `\`${folder}\` exists and is not an empty folder`,
      hint: `go on with it by \`npx thawline resume ${folder}\`, or choose another \`--run-dir\``,
    });
  }
  const existed = existsSync(folder);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, CONFIG_FILE), stringify(config));
  } catch (error) {
    if (!existed) removeIfEmpty(folder);
    throw new UserError({
      code: "unwritable_run_folder",
      message: `\`${folder}\` cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      hint: "choose a writable folder with `--run-dir`",
    });
  }
}

/** The configuration that `createRunFolder` wrote. */
export function readRunConfig(folder: string): RunConfig {
  const content = parse(readFileSync(join(folder, CONFIG_FILE), "utf8")) as Settings;
  return "script" in content ? attachedConfigSchema.parse(content) : configSchema.parse(content);
}

function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It was never made, or something else is in it.
  }
}
