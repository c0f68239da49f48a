import type { OperatorRequest } from "../../core/events.js";
import type { EventRecord } from "../../journal/format.js";
import { describeTimes, observe, unobservedRun, type ObservedRun } from "./observed-run.js";
import { INITIAL_VIEW, pressKey, type ViewState } from "./view-state.js";
import { reasonOf } from "../../whole-file.js";

export interface Snapshot {
  readonly runs: readonly ObservedRun[];
  readonly view: ViewState;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ViewModelOptions {
  readonly runFolders: readonly string[];
  readonly interrupt: "stop" | "leave";
  readonly now: number;
  /** Whether they are drawn over each other at first. */
  readonly overlay?: boolean;
  /** Hands a request to the run's controller; returns the request's id. */
  readonly giveRequest: (runFolder: string, term: number, request: OperatorRequest) => string;
  readonly leave: (why: "detached" | "interrupted") => void;
}

/**
 * What the view shows, outside of React: two keys that arrive between two frames must both see what the first one
 * changed, or the `y` that answers a question would be taken for the key `y`.
 */
export interface ViewModel {
  readonly snapshot: () => Snapshot;
  readonly subscribe: (listener: () => void) => () => void;
  /** More records of a run. It is shown as it was before until none is left to read: what it was once is no news. */
  readonly append: (index: number, records: readonly EventRecord[], isLast?: boolean) => void;
  /** One line for the person, until the next key. */
  readonly note: (line: string) => void;
  /**
   * Keys that arrived at once. A question ends them, but for control keys: pasted text must not answer what it asked
   * itself, and Ctrl-C always counts.
   */
  readonly press: (keys: readonly string[]) => void;
  /** The time of day. It is told to listeners where something of what is shown depends on it. */
  readonly tick: (now: number) => void;
}

export function createViewModel(options: ViewModelOptions): ViewModel {
  const view = { ...INITIAL_VIEW, overlay: options.overlay === true && options.runFolders.length > 1 };
  let current: Snapshot = { runs: options.runFolders.map(unobservedRun), view, now: options.now };
  const reading = [...current.runs];
  const listeners = new Set<() => void>();
  const stopsOrdered = new Set<string>();

  const change = (changed: Partial<Snapshot>): void => {
    current = { ...current, ...changed };
    for (const listener of listeners) listener();
  };

  /** Returns whether it was given: a full disk, or a run folder that is gone, must not end the view. */
  const give = (run: ObservedRun, request: OperatorRequest): boolean => {
    try {
      const id = options.giveRequest(run.runFolder, run.state!.term, request);
      change({ view: { ...current.view, ordered: { id, verb: request.verb } } });
      return true;
    } catch (error) {
      change({ view: { ...current.view, notice: `${request.verb} could not be ordered (${reasonOf(error)})` } });
      return false;
    }
  };

  /** Also called when records arrive: a Ctrl-C before the controller has started must not be lost. */
  const orderStops = (): void => {
    for (const run of current.runs) {
      if (run.state === null || run.state.term === 0 || run.state.end !== null) continue;
      if (stopsOrdered.has(run.runFolder)) continue;
      if (give(run, { verb: "stop" })) stopsOrdered.add(run.runFolder);
    }
  };

  const pressOne = (key: string): void => {
    const { view, effect } = pressKey(current.view, key, { runs: current.runs, interrupt: options.interrupt });
    change({ view });
    if (effect?.type === "leave") options.leave(effect.why);
    else if (effect?.type === "interrupt") orderStops();
    else if (effect?.type === "order") give(current.runs[view.shown]!, effect.request);
  };

  return {
    snapshot: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    append: (index, records, isLast = true) => {
      reading[index] = records.reduce(observe, reading[index]!);
      if (!isLast) return;
      change({ runs: current.runs.with(index, reading[index]) });
      if (current.view.interrupted) orderStops();
    },
    note: (notice) => change({ view: { ...current.view, notice } }),
    press: (keys) => {
      const before = current.view.asked;
      for (const key of keys) {
        const askedHere = current.view.asked !== null && before === null;
        if (!askedHere || key.startsWith("ctrl+")) pressOne(key);
      }
    },
    tick: (now) => {
      const shown = current.runs[current.view.shown]!;
      if (describeTimes(shown, now) === describeTimes(shown, current.now)) current = { ...current, now };
      else change({ now });
    },
  };
}
