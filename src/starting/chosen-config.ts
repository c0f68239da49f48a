import type { RunConfig } from "../config/attached.js";
import { standardError } from "../output.js";

/** A configuration, and what its weaker layers said in vain. */
export interface ChosenConfig<C extends RunConfig = RunConfig> {
  readonly config: C;
  readonly leftOut: readonly string[];
}

/** A configuration loaded by `load`, with what it leaves out. */
export function chosenBy<C extends RunConfig>(load: (onLeftOut: (sentence: string) => void) => C): ChosenConfig<C> {
  const leftOut: string[] = [];
  return { config: load((sentence) => leftOut.push(sentence)), leftOut };
}

/** On stderr, where it stays when the live view has closed. */
export function tellLeftOut(leftOut: readonly string[]): void {
  for (const sentence of leftOut) standardError.print(`note: ${sentence}\n`);
}
