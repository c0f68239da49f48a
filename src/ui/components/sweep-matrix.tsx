import type { ReactElement } from "react";
import type { WatchedRun } from "../../sweep/watched-sweep.js";
import type { Segment } from "../../words/role.js";
import { bareScore, shortDuration, shortK, shortProgress } from "../../words/sweep-cells.js";
import { scoreOf, scrolledBy, type Matrix } from "../model/sweep-rows.js";
import type { SweepView } from "../model/sweep-view-state.js";
import type { Glyphs } from "../theme.js";
import { Line, Rows, say, useTheme } from "./line.js";
import { STANDING_ROLES } from "./sweep-header.js";

interface MatrixProps {
  readonly matrix: Matrix;
  readonly score: string | null;
  readonly view: SweepView;
  readonly rows: number;
  readonly columns: number;
}

/** What a cell has beside its symbol: k and score, the score alone, or nothing. Its brackets are the cursor. */
const CELLS = [
  { columns: 16, has: "k and score" },
  { columns: 9, has: "score" },
  { columns: 3, has: "symbol" },
] as const;
type Cell = (typeof CELLS)[number];

const NAME_COLUMNS = { least: 14, most: 44 } as const;

/** Conditions x seeds: a row of seeds, then a row for each condition, scrolled to where the cursor is. */
export function SweepMatrix({ matrix, score, view, rows, columns }: MatrixProps): ReactElement {
  const { glyphs } = useTheme();
  const longest = Math.max(...matrix.rows.map(({ name }) => name.length)) + 1;
  const nameColumns = Math.max(NAME_COLUMNS.least, Math.min(longest, NAME_COLUMNS.most, Math.floor(columns * 0.4)));
  const room = columns - nameColumns;
  const cell =
    CELLS.find((one) => one.columns * matrix.seeds.length <= columns - NAME_COLUMNS.least) ?? CELLS[CELLS.length - 1]!;
  const names = Math.max(NAME_COLUMNS.least, Math.min(nameColumns, columns - cell.columns * matrix.seeds.length));
  const numShown = Math.min(matrix.seeds.length, Math.floor(Math.max(room, columns - names) / cell.columns));
  const row = matrix.rows.findIndex(({ runs }) => runs.some((run) => run !== null && run.id === view.cursor));
  const seed = matrix.rows[row]?.runs.findIndex((run) => run !== null && run.id === view.cursor) ?? 0;
  const left = scrolledBy(Math.max(0, seed), numShown, matrix.seeds.length);
  const top = scrolledBy(Math.max(0, row), rows - 1, matrix.rows.length);
  const below = matrix.rows.length - top - (rows - 1);
  const shown = matrix.rows.slice(top, top + rows - 1);
  const more = [top > 0 ? `${top} above` : "", below > 0 ? `${below} below` : ""].filter(Boolean).join(", ");
  return (
    <Rows height={rows}>
      {[
        <Line
          key="seeds"
          segments={[
            say(fitted(more, names, glyphs), "dim"),
            ...matrix.seeds.slice(left, left + numShown).map((one) => say(seedCell(one, cell), "dim")),
            say(left + numShown < matrix.seeds.length ? ` +${matrix.seeds.length - left - numShown}` : "", "dim"),
          ]}
        />,
        ...shown.map(({ name, runs }) => (
          <Line
            key={name}
            segments={[
              say(fitted(name, names, glyphs)),
              ...runs.slice(left, left + numShown).flatMap((run) => cellOf(run, cell, score, view, glyphs)),
            ]}
          />
        )),
      ]}
    </Rows>
  );
}

function seedCell(seed: number, { columns }: Cell): string {
  return (columns > 3 ? `  seed ${seed}` : String(seed).slice(-2).padStart(2)).slice(0, columns).padEnd(columns);
}

function cellOf(
  run: WatchedRun | null,
  cell: Cell,
  score: string | null,
  view: SweepView,
  glyphs: Glyphs,
): readonly Segment[] {
  if (run === null) return [say(" ".repeat(cell.columns))];
  const isCursor = run.id === view.cursor;
  const isSelected = view.selected.includes(run.id);
  const before = isCursor ? "[" : isSelected ? "*" : " ";
  const after = isCursor ? (isSelected ? "*" : "]") : " ";
  const symbol = glyphs.standing[run.standing];
  const [first, second] = contentOf(run, score);
  const width = cell.columns - 4;
  const text =
    cell.has === "symbol"
      ? ""
      : cell.has === "score"
        ? ` ${(second === "" ? first : second).slice(0, width).padStart(width)}`
        : ` ${first.slice(0, 6).padEnd(6)}${second.slice(0, width - 6).padStart(width - 6)}`;
  const edge = isCursor || isSelected ? "key" : "dim";
  return [say(before, edge), say(`${symbol}${text}`, STANDING_ROLES[run.standing]), say(after, edge)];
}

/** k and score of what is done; how far and how much longer of what is at work. */
function contentOf(run: WatchedRun, score: string | null): readonly [string, string] {
  const { standing, secondsLeft } = run;
  switch (standing) {
    case "finished":
    case "taken": {
      const value = scoreOf(run, score);
      return [shortK(run), value === null ? "" : bareScore(score!, value)];
    }
    case "running":
      return [shortProgress(run), secondsLeft === null ? "" : `~${shortDuration(secondsLeft)}`];
    case "interrupted":
      return [shortProgress(run), ""];
    case "failed":
      return ["failed", ""];
    case "pending":
      return ["", ""];
  }
}

/** `text` in exactly so many columns, the last of them empty; a cut is marked. */
function fitted(text: string, columns: number, { cut }: Glyphs): string {
  const characters = Array.from(text);
  const whole = characters.length < columns ? text : `${characters.slice(0, columns - 2).join("")}${cut}`;
  return whole.padEnd(columns);
}
