import { styleText } from "node:util";
import type { Results } from "../reading/results.js";
import { formatCount, formatDuration } from "./format.js";
import { printable, singleLine } from "../printable.js";
import { isOfText } from "./names.js";
import { summarySections, type SummarizedState } from "./summary-sections.js";

export interface SummaryFacts {
  /** As the person named it, or would. */
  readonly runFolder: string;
  readonly state: SummarizedState;
  readonly color: boolean;
}

const WIDTH = 80;
const LABEL_COLUMNS = 12;
/** Narrower: a command has to fit behind it. */
const STEP_COLUMNS = 9;
const INDENT = "  ";

/** What a run came to, what that cost, and what one may do next. No trailing newline. At most 80 columns, but for long paths. */
export function summary(results: Results, facts: SummaryFacts): string {
  const { color, state } = facts;
  const head = `${paint("bold", singleLine(results.run), color)} ${paint(OUTCOME_COLORS[results.outcome], results.outcome, color)}`;
  const sections: [string, string[]][] = [
    ...summarySections(results, state),
    ["files", [`${facts.runFolder}: ${["results.json", "journal", ...otherFiles(results, state)].join(", ")}`]],
  ];
  return [
    `${head}: ${formatCount(results.updates, "update")} in ${formatDuration(results.wall_seconds)}`,
    "",
    ...sections.flatMap(([label, texts]) => section(label, texts, color)),
    "",
    paint("bold", "next", color),
    ...nextSteps(results, facts),
  ].join("\n");
}

/** A label, and its sentences wrapped beside it. */
function section(label: string, texts: readonly string[], color: boolean): string[] {
  const room = WIDTH - INDENT.length - LABEL_COLUMNS;
  return texts
    .flatMap((text) => wrap(text, room))
    .map((line, index) => {
      const margin =
        index === 0
          ? paint("bold", label, color) + " ".repeat(LABEL_COLUMNS - label.length)
          : " ".repeat(LABEL_COLUMNS);
      return `${INDENT}${margin}${printable(line)}`;
    });
}

/** Not between a number and its unit. */
const BREAK = / (?!(?:s|min|h|d|%)(?![a-z]))/;

/** A longer word, such as a path, keeps its line. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(BREAK)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** What else of the run folder is of use: a script keeps its weights where it likes. */
function otherFiles({ scores }: Results, { config, weights }: SummarizedState): string[] {
  if (config.script !== undefined) return ["worker.log"];
  const checkpoints = weights.checkpoints.length > 0 ? ["checkpoints/"] : ["worker.log"];
  // An adapter is written when it is scored.
  return isOfText(config) && scores !== null ? [...checkpoints, "adapter/"] : checkpoints;
}

/** Commands that make sense after this outcome, each with what it is for. */
function nextSteps({ outcome, k }: Results, { runFolder, state: { config }, color }: SummaryFacts): string[] {
  const look = ["look", `npx thawline watch ${runFolder}`] as const;
  const verify = ["verify", `npx thawline replay ${runFolder}`] as const;
  const resume = ["go on", `npx thawline resume ${runFolder}`] as const;
  const otherTau = k?.tau === 8 ? 3 : 8;
  const whatIf = ["what if", `npx thawline replay ${runFolder} --what-if tau=${otherTau}`] as const;
  const seed = ["seed", `npx thawline run ${runFolder}/config.yaml seed=${config.seed + 1}`] as const;
  const asked = k?.signal == null ? [] : [whatIf];
  // Another seed of a script is the script's own business.
  const again = config.script === undefined ? [seed] : [];
  const steps = outcome === "finished" ? [look, verify, ...asked, ...again] : [resume, look, verify];
  return steps.map(([label, command]) => `${INDENT}${label.padEnd(STEP_COLUMNS)}${paint("cyan", command, color)}`);
}

const OUTCOME_COLORS = { finished: "green", stopped: "yellow", failed: "red" } as const;

/** The caller, who knows the stream, has decided about colour. */
function paint(style: "bold" | "cyan" | "green" | "yellow" | "red", text: string, color: boolean): string {
  const shown = printable(text);
  return color && shown !== "" ? styleText(style, shown, { validateStream: false }) : shown;
}
