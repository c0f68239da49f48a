import type { ReactElement } from "react";
import { selectRemoval, selectSignal, selectStep, type SignalView } from "../../core/selectors.js";
import { isFinite } from "../../core/signal.js";
import type { State } from "../../core/state.js";
import { drawChart, type ChartMark, type ChartSeries } from "../chart.js";
import { formatMetric } from "../format.js";
import { signalName, signalUnit } from "../names.js";
import { Line, Rows, Title, useTheme } from "./line.js";

interface ChartProps {
  readonly state: State;
  readonly columns: number;
  readonly rows: number;
  readonly logarithmic: boolean;
  readonly average: boolean;
}

/** The signal that decides k: measured points dim, what the detector looks at bold, k and k_max as vertical lines. */
export function SignalChart({ state, columns, rows, logarithmic, average }: ChartProps): ReactElement {
  const { unicode, glyphs } = useTheme();
  const view = selectSignal(state);
  const chart = drawChart({
    columns,
    rows: rows - 1,
    unicode,
    logarithmic,
    xLow: view.origin,
    xHigh: Math.max(
      view.latest?.update ?? 0,
      view.points.at(-1)?.update ?? 0,
      view.decidedAt ?? 0,
      view.origin + state.config.probe.every,
    ),
    series: signalSeries(view, average),
    marks: signalMarks(state, view),
    gaps: view.gaps,
    empty: describeEmptySignal(state),
  });
  const last = view.points.at(-1);
  const error =
    last === undefined || last.standardError === null
      ? ""
      : ` ${glyphs.plusMinus} ${formatMetric(last.standardError, 2)}`;
  const value = last === undefined ? "" : ` = ${formatMetric(last.value)}${error}`;
  const legend = average ? `dots raw, line mean ${state.config.intervention.tau}` : "measured";
  const scale = chart.scale === "linear" ? "" : ` (${chart.scale})`;
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`${signalName(view.signal)} ${signalUnit(view.signal)}${scale}${value}`}
          note={legend}
          columns={columns}
        />,
        ...chart.lines.map((segments, row) => <Line key={row} segments={segments} />),
      ]}
    </Rows>
  );
}

function signalSeries({ points, averages }: SignalView, average: boolean): ChartSeries[] {
  const measured = points.flatMap(({ update, value }) => (isFinite(value) ? [{ x: update, y: value }] : []));
  const smoothed = averages.map(({ update, value }) => ({ x: update, y: value }));
  if (!average) return [{ points: measured, role: "average", join: true }];
  return [
    { points: measured, role: "raw", join: false },
    { points: smoothed, role: "average", join: true },
  ];
}

function signalMarks(state: State, { latest, decidedAt }: SignalView): ChartMark[] {
  const limit: ChartMark[] =
    latest === null || latest.update === decidedAt
      ? []
      : [{ x: latest.update, label: `k_max ${latest.k}`, role: "limit" }];
  const decided: ChartMark[] =
    decidedAt === null ? [] : [{ x: decidedAt, label: `k = ${state.interval?.k ?? decidedAt}`, role: "mark" }];
  return [...decided, ...limit];
}

function describeEmptySignal({ config, model }: State): string {
  const { intervention, probe } = config;
  if (model === null) return "measured once the worker is ready";
  if (intervention.kind !== "none" && intervention.k !== "online" && probe.until === "decision") {
    return `k is fixed to ${intervention.k}: no signal is measured`;
  }
  return "no point yet";
}

/** Share of the losses in one window of the moving average: long enough to calm batches, short enough to follow. */
const LOSS_WINDOW_SHARE = 0.05;

export function LossChart({ state, columns, rows, average }: Omit<ChartProps, "logarithmic">): ReactElement {
  const { unicode } = useTheme();
  const removal = selectRemoval(state);
  const points = state.losses.flatMap(({ step, loss }) => (isFinite(loss) ? [{ x: step, y: loss }] : []));
  const window = Math.max(1, Math.round(points.length * LOSS_WINDOW_SHARE));
  const smoothed = trailingMean(points, window);
  const chart = drawChart({
    columns,
    rows: rows - 1,
    unicode,
    logarithmic: false,
    xLow: 0,
    xHigh: Math.max(state.model?.numUpdates ?? 0, selectStep(state), 1),
    series: average
      ? [
          { points, role: "raw", join: false },
          { points: smoothed, role: "loss", join: true },
        ]
      : [{ points, role: "loss", join: true }],
    marks:
      state.interval === null || removal === null
        ? []
        : [{ x: removal, label: `k = ${state.interval.k}`, role: "mark" }],
    gaps: state.losses.filter(({ loss }) => !isFinite(loss)).map(({ step }) => step),
    empty: "no loss yet",
  });
  const last = state.losses.at(-1)?.loss ?? null;
  const note = average && window > 1 ? `dots raw, line mean ${window}` : "";
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`training loss${last === null ? "" : ` = ${formatMetric(last)}`}`}
          note={note}
          columns={columns}
        />,
        ...chart.lines.map((segments, row) => <Line key={row} segments={segments} />),
      ]}
    </Rows>
  );
}

function trailingMean(points: readonly { x: number; y: number }[], window: number): { x: number; y: number }[] {
  let sum = 0;
  return points.map(({ x, y }, index) => {
    sum += y - (index >= window ? points[index - window]!.y : 0);
    return { x, y: sum / Math.min(index + 1, window) };
  });
}
