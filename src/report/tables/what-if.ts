import type { State } from "../../core/state.js";
import { signalKey } from "../../core/detector/signal.js";
import { askWhatIf, type WhatIfAnswer } from "../../journal/replay.js";
import { SIGNALS, type Signal } from "../../metrics.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import { armsOf, type Arm } from "./arms.js";
import type { Point } from "./table.js";

/** The rules that are asked about: every combination. */
export interface WhatIfRules {
  readonly tau: readonly number[];
  readonly epsilon: readonly number[];
}

/** The state of a run by its journal; null where there is none. Asked once for each run. */
export type StateOf = (run: SweptRun) => State | null;

/** What one rule would have found in the runs of a condition that measured the signal. */
export interface AskedRule {
  readonly arm: Arm;
  readonly signal: Signal;
  readonly tau: number;
  readonly epsilon: number;
  readonly answers: readonly { readonly seed: number; readonly answer: WhatIfAnswer }[];
}

/** Every rule, asked of every run that measured a signal, in the order of conditions, signals, tau and epsilon. */
export function askRules(sweep: Sweep, stateOf: StateOf, rules: WhatIfRules): AskedRule[] {
  return armsOf(sweep).flatMap((arm) => {
    const known = arm.planned.flatMap((run) => {
      const state = stateOf(run);
      return state === null ? [] : [{ seed: run.seed, state }];
    });
    return SIGNALS.flatMap((signal) => {
      const measuring = known.filter(({ state }) => measured(state, signal));
      return measuring.length === 0 ? [] : askAll(arm, signal, measuring, rules);
    });
  });
}

function askAll(
  arm: Arm,
  signal: Signal,
  runs: readonly { readonly seed: number; readonly state: State }[],
  rules: WhatIfRules,
): AskedRule[] {
  return rules.tau.flatMap((tau) =>
    rules.epsilon.map((epsilon) => {
      const question = { metric: signal, tau, epsilon };
      const answers = runs.map(({ seed, state }) => ({ seed, answer: askWhatIf(state, question) }));
      return { arm, signal, tau, epsilon, answers };
    }),
  );
}

function measured({ signal: { series } }: State, signal: Signal): boolean {
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
