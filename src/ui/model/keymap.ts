export type Action =
  | "detach"
  | "help"
  | "logarithmic"
  | "average"
  | "panel"
  | "overlay"
  | "nextRun"
  | "previousRun"
  | "pause"
  | "unfreeze"
  | "evaluate"
  | "checkpoint"
  | "stop"
  | "interrupt"
  | "dismiss";

export interface KeyBinding {
  /** Names of keys as `KeyDecoder` gives them; the first is shown. */
  readonly keys: readonly [string, ...string[]];
  readonly action: Action;
  /** For the help overlay. */
  readonly help: string;
  /** One word for the footer, where the key is worth it. */
  readonly footer?: string;
  /** Orders something of the run: told apart in the help. */
  readonly control: boolean;
}

/** The one table of keys: what dispatches them and what explains them. */
export const KEYMAP: readonly KeyBinding[] = [
  { keys: ["q"], action: "detach", help: "leave the view; the run goes on", footer: "leave", control: false },
  { keys: ["?", "h"], action: "help", help: "this help, on and off", footer: "help", control: false },
  { keys: ["y"], action: "logarithmic", help: "logarithmic axis of the signal chart", footer: "log", control: false },
  { keys: ["m"], action: "average", help: "moving average of the charts, on and off", footer: "mean", control: false },
  { keys: ["v"], action: "panel", help: "next picture: signal, blocks, loss, results", footer: "next", control: false },
  {
    keys: ["o"],
    action: "overlay",
    help: "watched runs in one chart, on and off, where there are several",
    control: false,
  },
  { keys: ["tab"], action: "nextRun", help: "next run, where several are watched", control: false },
  { keys: ["shift+tab"], action: "previousRun", help: "previous run", control: false },
  { keys: ["esc"], action: "dismiss", help: "close the help, answer no", control: false },
  { keys: ["p"], action: "pause", help: "pause before the next update, or continue", footer: "pause", control: true },
  { keys: ["u"], action: "unfreeze", help: "unfreeze the next block now", footer: "unfreeze", control: true },
  { keys: ["e"], action: "evaluate", help: "evaluate now", footer: "eval", control: true },
  { keys: ["c"], action: "checkpoint", help: "write a checkpoint now", control: true },
  { keys: ["x"], action: "stop", help: "stop the run, with a checkpoint", footer: "stop", control: true },
  {
    keys: ["ctrl+c"],
    action: "interrupt",
    help: "in `run`: stop with a checkpoint, twice: leave; in `watch`: leave",
    control: true,
  },
];

export function bindingFor(name: string): KeyBinding | null {
  return KEYMAP.find(({ keys }) => keys.includes(name)) ?? null;
}
