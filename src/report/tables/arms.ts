import type { Results } from "../../reading/results.js";
import { namedScores, type NamedScores } from "../../reading/named-scores.js";
import type { BySeed } from "../../statistics/paired.js";
import type { Scalar, Sweep, SweptRun } from "../../sweep/swept-run.js";

/** A run that trained to its end, so that its scores count. */
export interface CompletedRun {
  readonly run: SweptRun;
  readonly results: Results;
  readonly scores: NamedScores;
}

/** A condition at one combination of its axes: runs that differ in their seed only. */
export interface Arm {
  readonly sweep: Sweep;
  readonly condition: string;
  readonly axes: SweptRun["axes"];
  /** `random`, or `random k=37` where the sweep has several values along its axes; a k that was tried is always said. */
  readonly label: string;
  /** As planned, by seed. */
  readonly planned: readonly SweptRun[];
  readonly completed: readonly CompletedRun[];
}

/** The axis along which fixed k's are tried. */
export const K_AXIS = "intervention.k";

/** The arms of each sweep: every table and figure asks for them, and there are scores of all runs in them. */
const known = new WeakMap<Sweep, readonly Arm[]>();

/** In the order of the sweep's conditions, and within one of its plan. */
export function armsOf(sweep: Sweep): readonly Arm[] {
  const arms = known.get(sweep) ?? groupedArms(sweep);
  known.set(sweep, arms);
  return arms;
}

function groupedArms(sweep: Sweep): Arm[] {
  const groups = new Map<string, SweptRun[]>();
  for (const run of sweep.runs) {
    const key = JSON.stringify([run.condition, Object.entries(run.axes)]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const place = ({ condition }: Arm): number => {
    const index = sweep.conditions.indexOf(condition);
    return index === -1 ? sweep.conditions.length : index;
  };
  const telling = tellingAxes(sweep.runs);
  return [...groups.values()]
    .map((runs) => armOf(sweep, runs, telling))
    .map((arm, index) => ({ arm, index }))
    .sort((a, b) => place(a.arm) - place(b.arm) || a.index - b.index)
    .map(({ arm }) => arm);
}

/** Axes along which runs differ; a sweep may be cut down to one value of an axis. */
function tellingAxes(runs: readonly SweptRun[]): ReadonlySet<string> {
  const keys = new Set(runs.flatMap(({ axes }) => Object.keys(axes)));
  const values = (key: string): Set<unknown> =>
    new Set(runs.flatMap(({ axes }) => (Object.hasOwn(axes, key) ? [axes[key]] : [])));
  return new Set([...keys].filter((key) => key === K_AXIS || values(key).size > 1));
}

function armOf(sweep: Sweep, runs: readonly SweptRun[], telling: ReadonlySet<string>): Arm {
  const { condition, axes } = runs[0]!;
  const planned = runs.toSorted((a, b) => a.seed - b.seed);
  const told = Object.fromEntries(Object.entries(axes).filter(([key]) => telling.has(key)));
  const label = [condition, describeAxes(told)].filter((text) => text !== "").join(" ");
  return { sweep, condition, axes, label, planned, completed: planned.flatMap(completedOf) };
}

function completedOf(run: SweptRun): CompletedRun[] {
  const { results } = run;
  // What was stopped or failed may have scores, but of another training than was planned.
  if (results === null || results.outcome !== "finished") return [];
  return [{ run, results, scores: namedScores(results) }];
}

/** `k=37 learning_rate=0.1`: the last part of a key says enough unless two axes share it. */
export function describeAxes(axes: Readonly<Record<string, Scalar>>): string {
  const last = (key: string): string => key.split(".").at(-1)!;
  const keys = Object.keys(axes);
  const isShared = (key: string): boolean => keys.filter((other) => last(other) === last(key)).length > 1;
  return keys.map((key) => `${isShared(key) ? key : last(key)}=${String(axes[key])}`).join(" ");
}

/** A score of the completed runs that have it. */
export function bySeed({ completed }: Pick<Arm, "completed">, score: string): BySeed {
  return new Map(
    completed.flatMap(({ run, scores }) => {
      const value = scores[score];
      return value === undefined ? [] : [[run.seed, value] as const];
    }),
  );
}

/** Of the baseline's arms the one that has the most axes in common with this one, and none that differs; null without. */
export function baselineOf(arm: Arm, arms: readonly Arm[]): Arm | null {
  const { baseline } = arm.sweep;
  if (baseline === null || arm.condition === baseline) return null;
  const fitting = arms.filter(
    (other) =>
      other.condition === baseline &&
      Object.entries(other.axes).every(([key, value]) => !Object.hasOwn(arm.axes, key) || arm.axes[key] === value),
  );
  const shared = (other: Arm): number => Object.keys(other.axes).filter((key) => Object.hasOwn(arm.axes, key)).length;
  const most = Math.max(...fitting.map(shared));
  const closest = fitting.filter((other) => shared(other) === most);
  // Two that fit equally well would be a choice of ours.
  return closest.length === 1 ? closest[0]! : null;
}

/** `3 of 4: 1 failed`: what became of the runs. */
export function describeRuns({ planned, completed }: Pick<Arm, "planned" | "completed">): string {
  const missing = planned.filter((run) => !completed.some((done) => done.run === run));
  const words = missing.map(({ standing, results }) => (results === null ? standing : results.outcome));
  const counts = [...new Set(words)].map((word) => `${words.filter((other) => other === word).length} ${word}`);
  const done = `${completed.length} of ${planned.length}`;
  return counts.length === 0 ? done : `${done}: ${counts.join(", ")}`;
}
