import { join } from "node:path";
import type { State } from "../core/state.js";
import { composeManifest } from "./manifest.js";
import { composeResults, type Results } from "../core/results.js";
import { replaceFile } from "./write-file.js";

export const RESULTS_FILE = "results.json";

/** Writes `results.json` and `manifest.json`, both derived from the state alone. */
export function writeOutcome(runFolder: string, state: State, wallSeconds: number, thawlineVersion: string): Results {
  const results = composeResults(state, wallSeconds);
  const manifest = composeManifest(state, thawlineVersion);
  replaceFile(join(runFolder, RESULTS_FILE), `${JSON.stringify(results, null, 2)}\n`);
  replaceFile(join(runFolder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return results;
}
