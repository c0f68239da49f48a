import type { ParsedConfig } from "../schema.js";
import type { Problem } from "./problems.js";

/** A look at keys that are fine by themselves and may be wrong together. */
export interface Check<C = ParsedConfig> {
  readonly find: (config: C) => readonly Problem[];
  /** What it refuses, a phrase each: docs/configuration.md lists them. */
  readonly refuses: readonly [string, ...string[]];
}
