import type { OperatorCommand } from "../core/events.js";
import type { JournalRecord } from "../journal/format.js";
import { observe, unobservedRun, type ObservedRun } from "./observed-run.js";
import { INITIAL_VIEW, pressKey, type ViewState } from "./view-state.js";

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
  /** Hands a command to the run's controller; returns the command's id. */
  readonly giveCommand: (runFolder: string, epoch: number, command: OperatorCommand) => string;
  readonly leave: (why: "detached" | "interrupted") => void;
}

/**
 * What the view shows, outside of React: two keys that arrive between two frames must both see what the first one
 * changed, or the `y` that answers a question would be taken for the key `y`.
 */
export interface ViewModel {
  readonly snapshot: () => Snapshot;
  readonly subscribe: (listener: () => void) => () => void;
  readonly append: (index: number, records: readonly JournalRecord[]) => void;
  /** Keys that arrived at once. A question ends them: pasted text must not answer what it asked itself. */
  readonly press: (keys: readonly string[]) => void;
  readonly tick: (now: number) => void;
}

export function createViewModel(options: ViewModelOptions): ViewModel {
  let current: Snapshot = { runs: options.runFolders.map(unobservedRun), view: INITIAL_VIEW, now: options.now };
  const listeners = new Set<() => void>();
  const stopsOrdered = new Set<string>();

  const change = (changed: Partial<Snapshot>): void => {
    current = { ...current, ...changed };
    for (const listener of listeners) listener();
  };

  const give = (run: ObservedRun, command: OperatorCommand): void => {
    const id = options.giveCommand(run.runFolder, run.state!.epoch, command);
    change({ view: { ...current.view, ordered: { id, verb: command.verb } } });
  };

  /** Also called when records arrive: a Ctrl-C before the controller has started must not be lost. */
  const orderStops = (): void => {
    for (const run of current.runs) {
      if (run.state === null || run.state.epoch === 0 || run.state.end !== null) continue;
      if (stopsOrdered.has(run.runFolder)) continue;
      stopsOrdered.add(run.runFolder);
      give(run, { verb: "stop" });
    }
  };

  const pressOne = (key: string): void => {
    const { view, effect } = pressKey(current.view, key, { runs: current.runs, interrupt: options.interrupt });
    change({ view });
    if (effect?.type === "leave") options.leave(effect.why);
    else if (effect?.type === "interrupt") orderStops();
    else if (effect?.type === "order") give(current.runs[view.shown]!, effect.command);
  };

  return {
    snapshot: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    append: (index, records) => {
      change({ runs: current.runs.map((run, other) => (other === index ? records.reduce(observe, run) : run)) });
      if (current.view.interrupted) orderStops();
    },
    press: (keys) => {
      for (const key of keys) {
        const asked = current.view.asked;
        pressOne(key);
        if (current.view.asked !== null && asked === null) return;
      }
    },
    tick: (now) => change({ now }),
  };
}
