import type { TextProps } from "ink";
import type { RunStanding } from "../reading/run-standing.js";
import type { Role } from "../words/role.js";

export type Style = Pick<TextProps, "color" | "bold" | "dimColor" | "inverse">;

/** The 16 colours of every terminal, so that its own palette decides what they look like. */
const COLORED: Readonly<Record<Role, Style>> = {
  plain: {},
  strong: { bold: true },
  dim: { dimColor: true },
  title: { color: "cyan" },
  raw: { color: "cyan" },
  average: { color: "cyanBright", bold: true },
  loss: { color: "yellow" },
  mark: { color: "magentaBright", bold: true },
  limit: { color: "yellow", dimColor: true },
  live: { color: "green" },
  frozen: { color: "blue" },
  good: { color: "green" },
  waiting: { color: "yellow", bold: true },
  warning: { color: "yellow" },
  failure: { color: "red", bold: true },
  key: { bold: true },
};

const PLAIN: Style = {};

/** How the view is drawn in this terminal: colours, glyphs, style of a role. */
export interface Theme {
  readonly unicode: boolean;
  readonly style: (role: Role) => Style;
  readonly glyphs: Glyphs;
}

export interface Glyphs {
  readonly rule: string;
  readonly live: string;
  readonly frozen: string;
  readonly met: string;
  readonly unmet: string;
  readonly barDone: string;
  readonly barLeft: string;
  readonly plusMinus: string;
  readonly separator: string;
  /** The end of what was cut. */
  readonly cut: string;
  /** How a run of a sweep stands. */
  readonly standing: Readonly<Record<RunStanding, string>>;
}

const UNICODE: Glyphs = {
  rule: "─",
  live: "■",
  frozen: "□",
  met: "✓",
  unmet: "·",
  barDone: "━",
  barLeft: "─",
  plusMinus: "±",
  separator: "│",
  cut: "…",
  standing: { finished: "✓", taken: "=", running: "▸", interrupted: "‖", failed: "✗", pending: "·" },
};

const ASCII: Glyphs = {
  rule: "-",
  live: "#",
  frozen: ".",
  met: "+",
  unmet: "-",
  barDone: "=",
  barLeft: "-",
  plusMinus: "+-",
  separator: "|",
  cut: "~",
  standing: { finished: "+", taken: "=", running: ">", interrupted: "~", failed: "x", pending: "." },
};

export function createTheme(options: { readonly color: boolean; readonly unicode: boolean }): Theme {
  return {
    unicode: options.unicode,
    style: (role) => (options.color ? COLORED[role] : PLAIN),
    glyphs: options.unicode ? UNICODE : ASCII,
  };
}
