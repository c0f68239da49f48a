import { existsSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../core/state.js";
import { UserError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { composeResults, type Results } from "../reading/results.js";
import { modeInside, refusedByDisk, replaceFile } from "../whole-file.js";
import { composeManifest } from "./manifest.js";

export const RESULTS_FILE = "results.json";
export const MANIFEST_FILE = "manifest.json";

export interface Outcome {
  readonly results: Results;
  /** Why they are not in the run folder; null when they are. */
  readonly unwritten: UserError | null;
}

/**
 * Writes `results.json` and `manifest.json`, both derived from the journal alone: where they cannot be written, nothing
 * is lost, and whoever asked is told.
 */
export function writeOutcome(runFolder: string, state: State, wallSeconds: number, thawlineVersion: string): Outcome {
  const results = composeResults(state, wallSeconds);
  const manifest = composeManifest(state, thawlineVersion);
  try {
    const mode = modeOrRefusal(runFolder);
    replaceFile(join(runFolder, RESULTS_FILE), `${JSON.stringify(results, null, 2)}\n`, mode);
    failpoint("outcome.results");
    replaceFile(join(runFolder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, mode);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { results, unwritten: describeUnwritten(runFolder, state, error) };
  }
  return { results, unwritten: null };
}

/** Whether a controller that died, or a disk that was full, has left a part of it undone. */
export function lacksOutcome(runFolder: string): boolean {
  return [RESULTS_FILE, MANIFEST_FILE].some((name) => !existsSync(join(runFolder, name)));
}

function modeOrRefusal(runFolder: string): number {
  try {
    return modeInside(runFolder);
  } catch (error) {
    throw refusedByDisk(`\`${join(runFolder, RESULTS_FILE)}\``, error);
  }
}

function describeUnwritten(runFolder: string, { end }: State, { message, hint, cause }: UserError): UserError {
  const again = `\`npx thawline resume ${runFolder}\` ${end?.outcome === "finished" ? "writes them" : "goes on"}`;
  return new UserError({
    code: "results_unwritten",
    message: `the run ${end?.outcome ?? "ended"}, but ${message}; no result is lost, the journal has them all`,
    hint: `${hint.split(",")[0]}, then ${again}`,
    cause,
  });
}
