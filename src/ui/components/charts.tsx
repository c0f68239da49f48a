import type { ReactElement } from "react";
import { selectRemoval, selectSignal, selectStep, type SignalView } from "../../reading/selectors.js";
import { everyOf } from "../../core/grid.js";
import { detectorRule, measuredBy, measuredRule } from "../../core/measured.js";
import type { State } from "../../core/state.js";
import { drawChart, type ChartMark, type ChartSeries } from "../chart/chart.js";
import { countPoints, gapsOf, pointsOf, trailingMean, type Curve } from "../chart/curve.js";
import type { SignalCurve } from "../model/curves.js";
import { isRecorded } from "../../metrics.js";
import { formatMetric } from "../../words/format.js";
import { signalName, signalUnit } from "../../words/names.js";
import { Line, Rows, Title, useTheme } from "./line.js";

interface ChartProps {
  readonly state: State;
  readonly curve: SignalCurve;
  readonly columns: number;
  readonly rows: number;
  readonly logarithmic: boolean;
  readonly average: boolean;
}

/** The signal that decides k: measured points dim, what the detector looks at bold, k and k_max as vertical lines. */
export function SignalChart({ state, curve, columns, rows, logarithmic, average }: ChartProps): ReactElement {
  const { unicode, glyphs } = useTheme();
  const view = selectSignal(state);
  // The rule for recorded signals looks at values, and at no average of them.
  const smooths = average && !isRecorded(view.signal);
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
      view.origin + everyOf(state),
    ),
    series: signalSeries(curve, smooths),
    marks: signalMarks(state, view),
    gaps: gapsOf(curve.measured),
    empty: describeEmptySignal(state),
  });
  const last = view.points.at(-1);
  const error =
    last === undefined || last.standardError === null
      ? ""
      : ` ${glyphs.plusMinus} ${formatMetric(last.standardError, 2)}`;
  const value = last === undefined ? "" : ` = ${formatMetric(last.value)}${error}`;
  const recorded = isRecorded(view.signal) ? "recorded" : "measured";
  const legend = smooths ? `dots raw, line mean ${measuredRule(state.config).tau}` : recorded;
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

function signalSeries({ measured, average: smoothed }: SignalCurve, average: boolean): ChartSeries[] {
  if (!average) return [{ points: pointsOf(measured), role: "average", join: true }];
  return [
    { points: pointsOf(measured), role: "raw", join: false },
    { points: pointsOf(smoothed), role: "average", join: true },
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
  const { intervention } = config;
  if (model === null) return "measured once the worker is ready";
  if (measuredBy(config) !== null || isRecorded(detectorRule(config).signal)) return "no point yet";
  return intervention.kind === "none"
    ? "no intervention: no signal is measured"
    : `k is fixed to ${intervention.k}: no signal is measured`;
}

/** Share of the losses in one window of the moving average: long enough to calm batches, short enough to follow. */
const LOSS_WINDOW_SHARE = 0.05;

interface LossChartProps extends Omit<ChartProps, "curve" | "logarithmic"> {
  readonly curve: Curve;
}

export function LossChart({ state, curve, columns, rows, average }: LossChartProps): ReactElement {
  const { unicode } = useTheme();
  const removal = selectRemoval(state);
  const points = pointsOf(curve);
  const window = Math.max(1, Math.round(countPoints(curve) * LOSS_WINDOW_SHARE));
  const smoothed = trailingMean(curve, window);
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
    gaps: gapsOf(curve),
    empty: "no loss yet",
  });
  const last = state.progress.loss?.loss ?? null;
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
