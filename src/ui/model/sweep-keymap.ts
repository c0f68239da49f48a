export type SweepAction =
  | "leave"
  | "help"
  | "face"
  | "up"
  | "down"
  | "left"
  | "right"
  | "pageUp"
  | "pageDown"
  | "first"
  | "last"
  | "open"
  | "select"
  | "overlay"
  | "filter"
  | "sort"
  | "dismiss"
  | "interrupt";

export interface SweepKeyBinding {
  /** Names of keys as `KeyDecoder` gives them; the first is shown. */
  readonly keys: readonly [string, ...string[]];
  readonly action: SweepAction;
  readonly help: string;
  /** One word for the footer, where the key is worth it. */
  readonly footer?: string;
}

/** The one table of keys of a sweep's view. Where wandb's LEET has a key for the same, it is that one. */
export const SWEEP_KEYMAP: readonly SweepKeyBinding[] = [
  {
    keys: ["q"],
    action: "leave",
    help: "leave the view; `thawline sweep` goes on with a line an event, others are left alone",
    footer: "leave",
  },
  { keys: ["?", "h"], action: "help", help: "this help, on and off", footer: "help" },
  { keys: ["tab"], action: "face", help: "conditions x seeds, or the list of runs", footer: "list" },
  { keys: ["return"], action: "open", help: "the run's own view; `q` or `esc` comes back", footer: "open" },
  { keys: [" "], action: "select", help: "select the run, or no longer", footer: "select" },
  {
    keys: ["o"],
    action: "overlay",
    help: "2 to 4 selected runs in one chart; `v` changes what it shows",
    footer: "chart",
  },
  {
    keys: ["/", "f"],
    action: "filter",
    help: "list only runs whose name, state or k has these words",
    footer: "filter",
  },
  { keys: ["s"], action: "sort", help: "sort the list: plan, state, score, k, time", footer: "sort" },
  { keys: ["up", "k"], action: "up", help: "up" },
  { keys: ["down", "j"], action: "down", help: "down" },
  { keys: ["left"], action: "left", help: "the seed before" },
  { keys: ["right"], action: "right", help: "the next seed" },
  { keys: ["pageup"], action: "pageUp", help: "ten rows up" },
  { keys: ["pagedown"], action: "pageDown", help: "ten rows down" },
  { keys: ["home", "g"], action: "first", help: "the first run" },
  { keys: ["end", "G"], action: "last", help: "the last run" },
  { keys: ["esc"], action: "dismiss", help: "close the help, take back the filter, then the selection" },
  {
    keys: ["ctrl+c"],
    action: "interrupt",
    help: "in `sweep`: stop every run with a checkpoint, twice: without waiting; in `watch`: leave",
  },
];

export function sweepBindingFor(name: string): SweepKeyBinding | null {
  return SWEEP_KEYMAP.find(({ keys }) => keys.includes(name)) ?? null;
}

/** As people write it. */
export function keyName(key: string): string {
  return key === " " ? "space" : key === "return" ? "enter" : key;
}
