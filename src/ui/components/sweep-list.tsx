import type { ReactElement } from "react";
import type { WatchedRun } from "../../sweep/watched-sweep.js";
import { formatDuration } from "../../words/format.js";
import { nameOfRun } from "../../words/sweep.js";
import { bareScore, shortDuration, shortK } from "../../words/sweep-cells.js";
import { scoreOf, scrolledBy } from "../model/sweep-rows.js";
import type { SweepView } from "../model/sweep-view-state.js";
import { Line, Rows, say, useTheme } from "./line.js";
import { STANDING_ROLES } from "./sweep-header.js";

interface ListProps {
  /** Filtered and sorted. */
  readonly runs: readonly WatchedRun[];
  readonly score: string | null;
  readonly view: SweepView;
  readonly rows: number;
  readonly columns: number;
}

const NAME_COLUMNS = { least: 20, most: 60 } as const;
/** Of state, updates, k, score and time. A narrow terminal has short times. */
const WIDTHS = { state: 12, updates: 12, k: 7, score: 8, time: 14, shortTime: 6 } as const;
const MARK_COLUMNS = 4;
const WIDE_FROM = 100;

/** A run a row: what it is called, how it stands, updates, k, score, and the time that it took or takes yet. */
export function SweepList({ runs, score, view, rows, columns }: ListProps): ReactElement {
  const { glyphs } = useTheme();
  const isWide = columns >= WIDE_FROM;
  const { state, updates, k, score: scores, time, shortTime } = WIDTHS;
  const others = MARK_COLUMNS + state + updates + k + scores + (isWide ? time : shortTime);
  const names = Math.max(NAME_COLUMNS.least, Math.min(NAME_COLUMNS.most, columns - others));
  const at = runs.findIndex(({ id }) => id === view.cursor);
  const top = scrolledBy(Math.max(0, at), rows - 1, runs.length);
  const heads = ["state", "updates", "k", score === null ? "score" : score.split("/").at(-1)!, "time"];
  return (
    <Rows height={rows}>
      {[
        <Line
          key="heads"
          segments={[say(rowOf("    ", runs.length === 0 ? "no such run" : "run", heads, names), "dim")]}
        />,
        ...runs.slice(top, top + rows - 1).map((run) => {
          const marks = `${run.id === view.cursor ? "[" : " "}${view.selected.includes(run.id) ? "*" : " "}`;
          const isCursor = run.id === view.cursor;
          const text = rowOf(`${glyphs.standing[run.standing]} `, nameOfRun(run), factsOf(run, score, isWide), names);
          return (
            <Line
              key={run.id}
              segments={[
                say(marks, "key"),
                say(text.slice(0, 2), STANDING_ROLES[run.standing]),
                say(text.slice(2), isCursor ? "strong" : "plain"),
              ]}
            />
          );
        }),
      ]}
    </Rows>
  );
}

function rowOf(marks: string, name: string, facts: readonly string[], names: number): string {
  const [state = "", updates = "", k = "", score = "", time = ""] = facts;
  const called = Array.from(name)
    .slice(0, names - 1)
    .join("");
  return `${marks}${called.padEnd(names)}${state.padEnd(WIDTHS.state)}${updates.padEnd(WIDTHS.updates)}${k.padEnd(WIDTHS.k)}${score.slice(0, WIDTHS.score - 1).padEnd(WIDTHS.score)}${time}`;
}

function factsOf(run: WatchedRun, score: string | null, isWide: boolean): string[] {
  const lasting = isWide ? formatDuration : shortDuration;
  const { standing, step, of, seconds, secondsLeft, takenFrom } = run;
  const value = scoreOf(run, score);
  const time =
    standing === "running" && secondsLeft !== null
      ? `${isWide ? "" : "~"}${lasting(secondsLeft)}${isWide ? " left" : ""}`
      : seconds !== null && takenFrom === null
        ? lasting(seconds)
        : "";
  return [
    standing,
    step === null ? "" : `${step}/${of ?? "?"}`,
    shortK(run).slice(1),
    value === null ? "" : bareScore(score!, value),
    time,
  ];
}
