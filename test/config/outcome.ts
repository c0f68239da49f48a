import { loadConfig } from "../../src/config/layers/load.js";
import { UserError } from "../../src/errors.js";

/** What becomes of a preset with these overrides: `accepted`, or the sentence and the hint of what is refused. */
export function outcomeOf(source: string, ...overrides: string[]): string {
  try {
    loadConfig({ source, overrides, env: {}, cwd: "/" });
    return "accepted";
  } catch (error) {
    if (error instanceof UserError) return `${error.message} / ${error.hint}`;
    throw error;
  }
}
