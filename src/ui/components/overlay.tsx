import type { ReactElement } from "react";
import { selectSignal, selectStep } from "../../reading/selectors.js";
import { formatMetric } from "../../words/format.js";
import { signalName, signalUnit } from "../../words/names.js";
import type { Role, Segment } from "../../words/role.js";
import { headlineOf } from "../../words/headline.js";
import { drawChart, type ChartSeries } from "../chart/chart.js";
import { pointsOf, trailingMean, countPoints, type CurvePoint } from "../chart/curve.js";
import type { ObservedRun } from "../model/observed-run.js";
import type { ViewState } from "../model/view-state.js";
import { Line, Rows, say, Title, useTheme } from "./line.js";

/** More curves than this cannot be told apart. */
const MOST = 4;
const LETTERS = ["a", "b", "c", "d"] as const;
const ROLES: readonly Role[] = ["raw", "loss", "live", "mark"];
const LOSS_WINDOW_SHARE = 0.05;

interface OverlayProps {
  readonly runs: readonly ObservedRun[];
  readonly view: ViewState;
  readonly rows: number;
  readonly columns: number;
}

/** Runs over each other: the signal that decides, or the training loss, each with a letter on its curve and a line below. */
export function Overlay({ runs, view, rows, columns }: OverlayProps): ReactElement {
  const { unicode } = useTheme();
  const shown = runs.slice(0, MOST);
  // Two kinds of picture here; the key for the next one goes on counting.
  const signal = view.panel % 2 === 0 ? sharedSignal(shown) : null;
  const curves = shown.map((run) =>
    signal === null ? lossOf(run, view.average) : signalOf(run, signal, view.average),
  );
  const legendRows = shown.length + (runs.length > MOST ? 1 : 0);
  const chart = drawChart({
    columns,
    rows: Math.max(3, rows - 1 - legendRows),
    unicode,
    logarithmic: view.logarithmic,
    xLow: 0,
    xHigh: Math.max(1, ...curves.flatMap((points) => points?.at(-1)?.x ?? [])),
    series: curves.flatMap((points, index): ChartSeries[] =>
      points === null ? [] : [{ points, role: ROLES[index]!, join: true, letter: LETTERS[index]! }],
    ),
    marks: [],
    gaps: [],
    empty: "no point yet",
  });
  const name = signal === null ? "training loss" : `${signalName(signal)} ${signalUnit(signal)}`;
  const scale = chart.scale === "linear" ? "" : ` (${chart.scale})`;
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`${name}${scale}`}
          note={`${shown.length} runs, v: other picture`}
          columns={columns}
        />,
        ...chart.lines.map((segments, row) => <Line key={`chart${row}`} segments={segments} />),
        ...shown.map((run, index) => (
          <Line key={`run${index}`} segments={legendOf(run, index, curves[index] ?? null, signal)} />
        )),
        ...(runs.length > MOST
          ? [<Line key="more" segments={[say(`${runs.length - MOST} more are watched: tab`, "dim")]} />]
          : []),
      ]}
    </Rows>
  );
}

/** The signal of the first run that has points of one; null where none has, and losses are all there is. */
function sharedSignal(runs: readonly ObservedRun[]): string | null {
  const measured = runs.flatMap(({ state }) => (state === null ? [] : [selectSignal(state)]));
  return measured.find(({ points }) => points.length > 0)?.signal ?? null;
}

/** Null where the run measures another signal, or none. */
function signalOf({ state, curves }: ObservedRun, signal: string, average: boolean): readonly CurvePoint[] | null {
  if (state === null) return null;
  const view = selectSignal(state);
  if (view.signal !== signal || view.points.length === 0) return null;
  const smoothed = average ? pointsOf(curves.signal.average) : [];
  return smoothed.length > 0 ? smoothed : pointsOf(curves.signal.measured);
}

function lossOf({ state, curves }: ObservedRun, average: boolean): readonly CurvePoint[] | null {
  if (state === null || state.progress.loss === null) return null;
  if (!average) return pointsOf(curves.loss);
  return trailingMean(curves.loss, Math.max(1, Math.round(countPoints(curves.loss) * LOSS_WINDOW_SHARE)));
}

function legendOf(
  { state, runFolder }: ObservedRun,
  index: number,
  points: readonly CurvePoint[] | null,
  signal: string | null,
): Segment[] {
  const mark = say(` ${LETTERS[index]} `, ROLES[index]);
  if (state === null) return [mark, say(` waiting for the journal of ${runFolder}`, "dim")];
  const last = points?.at(-1);
  const absent = signal === null ? "no loss yet" : `no ${signalName(signal)} measured`;
  const k = state.interval === null ? "k -" : `k ${state.interval.k} (${state.interval.source})`;
  const total = state.model?.numUpdates ?? "?";
  const headline = headlineOf(state);
  return [
    mark,
    say(` ${last === undefined ? absent : formatMetric(last.y)}`, "strong"),
    say(`  ${k}  ${selectStep(state)}/${total}  `),
    say(headline.badge, headline.role),
    say(`  ${state.run}`, "dim"),
  ];
}
