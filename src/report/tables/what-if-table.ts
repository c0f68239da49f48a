import type { State } from "../../core/state.js";
import { signalKey } from "../../core/detector/signal.js";
import { askWhatIf, type WhatIfAnswer } from "../../journal/replay.js";
import { SIGNALS, type Signal } from "../../metrics.js";
import { momentsOf } from "../../statistics/moments.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import { signalName } from "../../words/names.js";
import { armsOf, type Arm } from "./arms.js";
import { scaleMarks } from "./marks.js";
import { titleOf } from "./notes.js";
import { cell, column, type Cell, type Point, type Row, type Table } from "./table.js";

/** The rules that are asked about: every combination. */
export interface WhatIfRules {
  readonly tau: readonly number[];
  readonly epsilon: readonly number[];
}

/** The state of a run by its journal; null where there is none. Asked once for each run. */
export type StateOf = (run: SweptRun) => State | null;

/** What another rule would have found in one run. */
interface Asked {
  readonly seed: number;
  readonly answer: WhatIfAnswer;
}

/**
 * Which k every rule would have found in every run that measured a signal, online and offline, without training. A row
 * for each condition, signal and rule. Null where no run measured one.
 */
export function whatIfTable(sweep: Sweep, stateOf: StateOf, rules: WhatIfRules): Table | null {
  const arms = armsOf(sweep);
  const states = new Map(sweep.runs.map((run) => [run, stateOf(run)]));
  const seeds = [...new Set(sweep.runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  const rows = arms.flatMap((arm) => rowsOf(arm, states, rules, seeds));
  if (rows.length === 0) return null;
  const updates = { unit: "updates" } as const;
  return {
    name: "what-if",
    caption: `${titleOf(sweep)}: k that other rules would have found`,
    stub: "condition, signal and rule",
    columns: [
      ...seeds.map((seed) => column(`seed-${seed}`, `online, seed ${seed}`, updates)),
      column("k", "online, mean", updates),
      column("found", "found online", { unit: "count", shown: "text" }),
      column("k_offline", "offline, by seed", { ...updates, shown: "points" }),
    ],
    rows,
    notes: [
      "Online: where the rule fires on the series that the run measured; a dash: nowhere in it, and it may end at the run's own decision.",
      "Offline: Algorithm 2 on the whole of that series, at each seed where it finds a k.",
      "With a tau other than the run's own the noise of a change is bounded by the sum of single changes, so that it may fire later.",
    ],
    sources: [sweep.name],
  };
}

function rowsOf(
  arm: Arm,
  states: ReadonlyMap<SweptRun, State | null>,
  { tau, epsilon }: WhatIfRules,
  seeds: readonly number[],
): Row[] {
  const known = arm.planned.flatMap((run) => {
    const state = states.get(run) ?? null;
    return state === null ? [] : [{ seed: run.seed, state }];
  });
  return SIGNALS.filter((signal) => known.some(({ state }) => measured(state, signal))).flatMap((metric) =>
    tau.flatMap((window) =>
      epsilon.map((tolerance) => {
        const asked = known
          .filter(({ state }) => measured(state, metric))
          .map(({ seed, state }) => ({ seed, answer: askWhatIf(state, { metric, tau: window, epsilon: tolerance }) }));
        const label = `${arm.label}, ${signalName(metric)}, tau ${window}, epsilon ${tolerance}`;
        return { label, marks: scaleMarks(arm.sweep.scale), cells: cellsOf(asked, seeds) };
      }),
    ),
  );
}

function measured({ signal: { series } }: State, signal: Signal): boolean {
  return (series[signalKey(signal)]?.length ?? 0) > 0;
}

function cellsOf(asked: readonly Asked[], seeds: readonly number[]): Cell[] {
  const online = pointsOf(asked, ({ kOnline }) => kOnline);
  const { n, mean, standardDeviation } = momentsOf(online.map(({ value }) => value));
  return [
    ...seeds.map((seed) => cell({ value: online.find((point) => point.seed === seed)?.value ?? null })),
    mean === null ? cell() : cell({ value: mean, standardDeviation, n, points: online }),
    cell({ value: online.length, n: asked.length, text: `${online.length} of ${asked.length}` }),
    cell({ points: pointsOf(asked, ({ offline }) => offline.k) }),
  ];
}

function pointsOf(asked: readonly Asked[], kOf: (answer: WhatIfAnswer) => number | null): Point[] {
  return asked.flatMap(({ seed, answer }) => {
    const value = kOf(answer);
    return value === null ? [] : [{ seed, value }];
  });
}
