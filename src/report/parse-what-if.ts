import { DEFAULT_EPSILON, METRIC_TABLE, SIGNALS } from "../metrics.js";
import { UserError } from "../errors.js";
import type { WhatIfRules } from "./tables/what-if.js";

const FITS = {
  tau: (value: number) => Number.isSafeInteger(value) && value >= 2,
  epsilon: (value: number) => value > 0 && value < 1,
} as const;
/** Rules that one command asks about: each is asked of every run and signal. */
const MOST_RULES = 400;

/**
 * `tau=3,8 epsilon=0.01,0.02 mode=max`, in any order; what is not named has the defaults.
 *
 * @throws UserError `invalid_what_if` naming the part that is wrong
 */
export function parseWhatIf(words: readonly string[]): WhatIfRules {
  const said: { tau?: number[]; epsilon?: number[]; mode?: "min" | "max" } = {};
  for (const word of words) {
    const [, mode] = /^mode=(min|max)$/.exec(word) ?? [];
    if (mode !== undefined) {
      if (said.mode !== undefined) throw invalid(word);
      said.mode = mode as "min" | "max";
      continue;
    }
    const [, key, list = ""] = /^(tau|epsilon)=(.+)$/.exec(word) ?? [];
    if (key !== "tau" && key !== "epsilon") throw invalid(word);
    const values = list.split(",").map((text) => (text.trim() === "" ? NaN : Number(text)));
    if (said[key] !== undefined || !values.every(FITS[key])) throw invalid(word);
    said[key] = [...new Set(values)].sort((a, b) => a - b);
  }
  const rules = {
    tau: said.tau ?? DEFAULT_TAUS,
    epsilon: said.epsilon ?? [DEFAULT_EPSILON],
    mode: said.mode ?? null,
  };
  if (rules.tau.length * rules.epsilon.length > MOST_RULES) throw invalid(words.join(" "));
  return rules;
}

/** Of the signals' own rules. */
const DEFAULT_TAUS = [...new Set(SIGNALS.map((signal) => METRIC_TABLE[signal].tau))].sort((a, b) => a - b);

function invalid(part: string): UserError {
  return new UserError({
    code: "invalid_what_if",
    message: `\`--what-if\` does not understand \`${part}\``,
    hint: `write it after the folders, as \`--what-if tau=3,8 epsilon=0.01,0.02\`: tau integers of at least 2, epsilon between 0 and 1, ${MOST_RULES} rules at most; mode=min or mode=max says which values of recorded signals are better`,
  });
}
