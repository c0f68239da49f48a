import type { State } from "../../core/state.js";
import { recordedNames, signalKey } from "../../core/detector/signal.js";
import { ruleFor } from "../../core/measured.js";
import { askWhatIf, type WhatIf, type WhatIfAnswer } from "../../journal/replay.js";
import { SIGNALS } from "../../metrics.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import { armsOf, type Arm } from "./arms.js";
import type { Point } from "./table.js";

/** The rules that are asked about: every combination. */
export interface WhatIfRules {
  readonly tau: readonly number[];
  readonly epsilon: readonly number[];
  /** Which values of recorded signals are better; null: as far as it is known. */
  readonly mode: WhatIf["mode"] | null;
}

/** The state of a run by its journal; null where there is none. Asked once for each run. */
export type StateOf = (run: SweptRun) => State | null;

/** What one rule would have found in the runs of a condition that measured the signal, or recorded it. */
export interface AskedRule {
  readonly arm: Arm;
  /** A metric, or `recorded:NAME`. */
  readonly signal: string;
  readonly tau: number;
  readonly epsilon: number;
  readonly answers: readonly { readonly seed: number; readonly answer: WhatIfAnswer }[];
}

/** Every rule, asked of every run that has a series of a signal, in the order of conditions, signals, tau and epsilon. */
export function askRules(sweep: Sweep, stateOf: StateOf, rules: WhatIfRules): AskedRule[] {
  return armsOf(sweep).flatMap((arm) => {
    const known = arm.planned.flatMap((run) => {
      const state = stateOf(run);
      return state === null ? [] : [{ seed: run.seed, state }];
    });
    return signalsIn(known.map(({ state }) => state)).flatMap((signal) => {
      const having = known.filter(({ state }) => has(state, signal) && modeOf(signal, state, rules) !== null);
      return having.length === 0 ? [] : askAll(arm, signal, having, rules);
    });
  });
}

/** What is measured, then what was recorded. */
function signalsIn(states: readonly State[]): string[] {
  const recorded = states.flatMap(({ signal: { series } }) => recordedNames(series).map((name) => `recorded:${name}`));
  return [...SIGNALS, ...new Set(recorded)];
}

/** What was recorded, and is not asked about since nobody has said which values of it are better. */
export function unasked(sweep: Sweep, stateOf: StateOf, rules: WhatIfRules): string[] {
  const states = sweep.runs.flatMap((run) => stateOf(run) ?? []);
  return signalsIn(states).filter((signal) => states.some((state) => modeOf(signal, state, rules) === null));
}

/** Null where it is not known; undefined of what is measured, of which no value is the better one. */
function modeOf(signal: string, { config }: State, { mode: said }: WhatIfRules): WhatIf["mode"] | null {
  const { mode } = ruleFor(signal, config);
  return mode === undefined ? undefined : (said ?? mode);
}

function askAll(
  arm: Arm,
  signal: string,
  runs: readonly { readonly seed: number; readonly state: State }[],
  rules: WhatIfRules,
): AskedRule[] {
  return rules.tau.flatMap((tau) =>
    rules.epsilon.map((epsilon) => {
      const answers = runs.map(({ seed, state }) => {
        const mode = modeOf(signal, state, rules) ?? undefined;
        const question = { metric: signal, tau, epsilon, ...(mode === undefined ? {} : { mode }) };
        return { seed, answer: askWhatIf(state, question) };
      });
      return { arm, signal, tau, epsilon, answers };
    }),
  );
}

function has({ signal: { series } }: State, signal: string): boolean {
  return (series[signalKey(signal)]?.length ?? 0) > 0;
}

export function foundOnline(asked: AskedRule): Point[] {
  return pointsOf(asked, ({ kOnline }) => kOnline);
}

export function foundOffline(asked: AskedRule): Point[] {
  return pointsOf(asked, ({ offline }) => offline.k);
}

function pointsOf({ answers }: AskedRule, kOf: (answer: WhatIfAnswer) => number | null): Point[] {
  return answers.flatMap(({ seed, answer }) => {
    const value = kOf(answer);
    return value === null ? [] : [{ seed, value }];
  });
}
