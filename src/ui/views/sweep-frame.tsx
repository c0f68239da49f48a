import { Box } from "ink";
import { useMemo, type ReactElement } from "react";
import type { WatchedRun } from "../../sweep/watched-sweep.js";
import { nameOfRun } from "../../words/sweep.js";
import { describeWatchedRun } from "../../words/sweep-cells.js";
import { Line, Rows, say, ThemeContext, Title, useTheme } from "../components/line.js";
import { STANDING_ROLES, SWEEP_HEADER_ROWS, SweepHeader } from "../components/sweep-header.js";
import { SweepFooter } from "../components/sweep-footer.js";
import { SweepList } from "../components/sweep-list.js";
import { SweepMatrix } from "../components/sweep-matrix.js";
import { SMALLEST } from "../model/layout.js";
import { keyName, SWEEP_KEYMAP } from "../model/sweep-keymap.js";
import type { SweepSnapshot } from "../model/sweep-model.js";
import { listOf, matrixOf } from "../model/sweep-rows.js";
import type { Theme } from "../theme.js";
import { Frame } from "./frame.js";

export interface SweepFrameProps {
  readonly snapshot: SweepSnapshot;
  readonly theme: Theme;
  readonly columns: number;
  readonly rows: number;
}

/** One frame of a sweep's view: never taller than `rows - 1`, never wider than `columns`, whatever the sweep holds. */
export function SweepFrame({ snapshot, theme, columns, rows }: SweepFrameProps): ReactElement {
  if (snapshot.opened !== null) return <Frame snapshot={snapshot.opened} theme={theme} columns={columns} rows={rows} />;
  const isTooSmall = columns < SMALLEST.columns || rows < SMALLEST.rows;
  return (
    <ThemeContext.Provider value={theme}>
      <Box flexDirection="column" width={columns} height={Math.max(1, rows - 1)} overflow="hidden">
        {isTooSmall ? (
          <Line segments={[say(`the view needs ${SMALLEST.columns} x ${SMALLEST.rows}; q leaves it`)]} />
        ) : (
          <Body snapshot={snapshot} columns={columns} height={rows - 1} />
        )}
      </Box>
    </ThemeContext.Provider>
  );
}

interface BodyProps {
  readonly snapshot: SweepSnapshot;
  readonly columns: number;
  readonly height: number;
}

/** Below the list there is no room for more than its heads and a run or two. */
const LEAST_LIST_ROWS = 5;
const LEGEND_ROWS = 1;
const DETAIL_ROWS = 1;

function Body({ snapshot, columns, height }: BodyProps): ReactElement {
  const { sweep, view } = snapshot;
  const matrix = useMemo(() => matrixOf(sweep), [sweep]);
  const list = useMemo(() => listOf(sweep, view.filter, view.sort), [sweep, view.filter, view.sort]);
  const failed = sweep.runs.filter(({ standing }) => standing === "failed");
  const failureRows = Math.min(failed.length, height >= 30 ? 5 : 2);
  const body = height - SWEEP_HEADER_ROWS - failureRows - DETAIL_ROWS - 1;
  const cursor = sweep.runs.find(({ id }) => id === view.cursor);
  if (view.help) {
    return (
      <>
        <SweepHeader snapshot={snapshot} columns={columns} />
        <SweepHelp rows={height - SWEEP_HEADER_ROWS - 1} columns={columns} />
        <SweepFooter view={view} />
      </>
    );
  }
  const matrixRows = Math.min(matrix.rows.length + 1, body - 1 - LEGEND_ROWS);
  const left = view.face === "list" ? body : body - 1 - LEGEND_ROWS - matrixRows;
  const listRows = left >= LEAST_LIST_ROWS ? left - 1 : 0;
  return (
    <>
      <SweepHeader snapshot={snapshot} columns={columns} />
      {view.face === "matrix" && (
        <>
          <Title text="conditions x seeds" columns={columns} />
          <SweepMatrix matrix={matrix} score={sweep.score} view={view} rows={matrixRows} columns={columns} />
          <Legend />
        </>
      )}
      {listRows > 0 && (
        <>
          <Title
            text={`runs${describeChoice(list.length, sweep.runs.length, view.filter)}`}
            note={`sorted by ${view.sort}`}
            columns={columns}
          />
          <SweepList runs={list} score={sweep.score} view={view} rows={listRows} columns={columns} />
        </>
      )}
      {listRows === 0 && left > 0 && (
        <Rows height={left}>
          {Array.from({ length: left }, (_, row) => (
            <Line key={row} segments={[say(" ")]} />
          ))}
        </Rows>
      )}
      <Failures runs={failed} rows={failureRows} />
      <Detail run={cursor} />
      <SweepFooter view={view} />
    </>
  );
}

function describeChoice(shown: number, all: number, filter: string): string {
  return filter === "" ? "" : ` with "${filter}": ${shown} of ${all}`;
}

function Legend(): ReactElement {
  const { glyphs } = useTheme();
  const standings = Object.entries(glyphs.standing) as [keyof typeof glyphs.standing, string][];
  return (
    <Line
      segments={[
        ...standings.map(([standing, symbol]) => say(`${symbol} ${standing}  `, STANDING_ROLES[standing])),
        say("k57c: cap", "dim"),
      ]}
    />
  );
}

/** Each with its sentence; the last row counts those that have no room. */
function Failures({ runs, rows }: { readonly runs: readonly WatchedRun[]; readonly rows: number }): ReactElement {
  const { glyphs } = useTheme();
  const hidden = runs.length - rows;
  return (
    <Rows height={rows}>
      {runs.slice(0, rows).map((run, index) => {
        const isLast = hidden > 0 && index === rows - 1;
        const others = isLast ? `  (and ${hidden} more: s sorts by state)` : "";
        return (
          <Line
            key={run.id}
            segments={[
              say(`${glyphs.standing.failed} ${nameOfRun(run)}:`, "failure"),
              ...(others === "" ? [] : [say(others, "dim")]),
              say(` ${run.failure ?? "failed"}`),
            ]}
          />
        );
      })}
    </Rows>
  );
}

function Detail({ run }: { readonly run: WatchedRun | undefined }): ReactElement {
  if (run === undefined) return <Line segments={[say("arrows move, enter opens a run", "dim")]} />;
  return (
    <Line
      segments={[say(`${nameOfRun(run)}: `, "strong"), say(describeWatchedRun(run), STANDING_ROLES[run.standing])]}
    />
  );
}

/** Every key and what it does, from the table that dispatches them. */
export function SweepHelp({ rows, columns }: { readonly rows: number; readonly columns: number }): ReactElement {
  const lines = SWEEP_KEYMAP.map(({ keys, help }) => (
    <Line key={keys[0]} segments={[say(` ${keys.map(keyName).join(", ").padEnd(11)}`, "key"), say(help)]} />
  ));
  const title = <Title key="title" text="keys" note="the view of a sweep" columns={columns} />;
  return <Rows height={rows}>{rows > lines.length ? [title, ...lines] : lines}</Rows>;
}
