import type { WatchedRun, WatchedSweep } from "../../sweep/watched-sweep.js";
import { formatClock } from "../../words/format.js";
import { INITIAL_SWEEP_VIEW, pressSweepKey, type SweepView } from "./sweep-view-state.js";
import type { Snapshot, ViewModel } from "./view-model.js";

export interface SweepSnapshot {
  readonly sweep: WatchedSweep;
  readonly view: SweepView;
  /** The view of the runs that were opened, in the place of the sweep's; null where none is. */
  readonly opened: Snapshot | null;
  /** Runs at a time, where this process makes them; null where it only looks. */
  readonly places: number | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Runs that are looked at by their journals, until they are closed. */
export interface OpenedRuns {
  readonly model: ViewModel;
  readonly close: () => void;
}

export interface SweepModelOptions {
  readonly sweep: WatchedSweep;
  readonly interrupt: "stop" | "leave";
  readonly places: number | null;
  readonly now: number;
  /** @param back called when the person leaves them */
  readonly openRuns: (runs: readonly WatchedRun[], back: () => void) => OpenedRuns;
  /** Stops the runs that this process makes. */
  readonly stopRuns: () => void;
  readonly leave: (why: "detached" | "interrupted") => void;
}

/** What a sweep's view shows, outside of React, as `ViewModel` is for the view of runs. */
export interface SweepModel {
  readonly snapshot: () => SweepSnapshot;
  readonly subscribe: (listener: () => void) => () => void;
  readonly see: (sweep: WatchedSweep) => void;
  readonly note: (line: string) => void;
  readonly press: (keys: readonly string[]) => void;
  readonly tick: (now: number) => void;
}

export function createSweepModel(options: SweepModelOptions): SweepModel {
  const { sweep, places, now } = options;
  let current: SweepSnapshot = { sweep, view: INITIAL_SWEEP_VIEW, opened: null, places, now };
  let opened: OpenedRuns | null = null;
  const listeners = new Set<() => void>();

  const change = (changed: Partial<SweepSnapshot>): void => {
    current = { ...current, ...changed };
    for (const listener of listeners) listener();
  };

  const close = (): void => {
    opened?.close();
    opened = null;
    change({ opened: null });
  };

  const open = (runs: readonly WatchedRun[]): void => {
    opened = options.openRuns(runs, close);
    const { model } = opened;
    model.subscribe(() => {
      if (opened?.model === model) change({ opened: model.snapshot() });
    });
    change({ opened: model.snapshot() });
  };

  const pressOne = (key: string): void => {
    const { view, effect } = pressSweepKey(current.view, key, current.sweep, options.interrupt);
    change({ view });
    if (effect?.type === "open") open(effect.runs);
    else if (effect?.type === "interrupt") options.stopRuns();
    else if (effect?.type === "leave") options.leave(key === "ctrl+c" ? "interrupted" : "detached");
  };

  /** Whether the key is for this view although runs are opened: to come back from them, or to stop. */
  const comesBack = (key: string): boolean => {
    const { view } = opened!.model.snapshot();
    return key === "ctrl+c" || (key === "esc" && !view.help && view.asked === null);
  };

  const press = (keys: readonly string[]): void => {
    const [key, ...rest] = keys;
    if (key === undefined) return;
    if (opened === null) {
      pressOne(key);
      press(rest);
      return;
    }
    const until = keys.findIndex(comesBack);
    // What arrived at once goes on at once: a question ends it.
    if (until !== 0) opened.model.press(until === -1 ? keys : keys.slice(0, until));
    if (until === -1) return;
    if (keys[until] === "ctrl+c") pressOne("ctrl+c");
    else close();
    press(keys.slice(until + 1));
  };

  return {
    snapshot: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    see: (seen) => {
      if (JSON.stringify(seen) !== JSON.stringify(current.sweep)) change({ sweep: seen });
    },
    note: (notice) => change({ view: { ...current.view, notice } }),
    press,
    tick: (to) => {
      opened?.model.tick(to);
      if (opened !== null || elapsedOf(current, to) === elapsedOf(current, current.now))
        current = { ...current, now: to };
      else change({ now: to });
    },
  };
}

/** Since its first run began, until now or until it was last heard of; empty before. */
export function elapsedOf({ sweep }: SweepSnapshot, now: number): string {
  const { beganAt, lastAt, runs } = sweep;
  if (beganAt === null) return "";
  const isAtWork = runs.some(({ standing }) => standing === "running");
  return formatClock(((isAtWork ? now : (lastAt ?? beganAt)) - beganAt) / 1000);
}
