import { indexAt } from "./intervention/counting.js";
import { measuredBy } from "./measured.js";
import type { PointSeries } from "./point-series.js";
import { withParts, withSignal } from "./parts.js";
import type { Grid, MetricSeries, SignalRecord, State } from "./state.js";

/** Of a run that has just been created. */
export const NO_GRID = { timing: null, grid: null, dropped: {} } as const satisfies Partial<SignalRecord>;

/** Updates between two points of the series, as the detector reads them. */
export function everyOf({ config, signal }: Pick<State, "config" | "signal">): number {
  return signal.grid?.every ?? configuredEvery({ config });
}

/** Updates between two measurements at boundary `update`: those before the choice are repeated as they were. */
export function everyAt({ config, signal: { grid } }: Pick<State, "config" | "signal">, update: number): number {
  return grid === null || update <= grid.from ? configuredEvery({ config }) : grid.every;
}

function configuredEvery({ config }: Pick<State, "config">): number {
  return measuredBy(config)?.every ?? 1;
}

/** Whether the update of this index has a point: the first one, and multiples of `every`. */
export function isPoint(index: number, every: number): boolean {
  return index === 1 || (index > 0 && index % every === 0);
}

/** The state on a grid: points that are not on it are taken out of the series, and what was read of these is void. */
export function withGrid(state: State, grid: Grid): State {
  const { intervention } = state.config;
  const series: Record<string, PointSeries> = {};
  const dropped: Record<string, PointSeries> = { ...state.signal.dropped };
  for (const [key, points] of Object.entries(state.signal.series)) {
    const kept = isMeasuredKey(key)
      ? points.where(({ update }) => isPoint(indexAt(intervention, update), grid.every))
      : points;
    series[key] = kept;
    if (kept !== points) dropped[key] = points.where(({ update }) => !kept.has(update));
  }
  const isSame = Object.keys(series).every((key) => series[key] === state.signal.series[key]);
  const read = isSame ? {} : { series, dropped, prefix: null, judgement: null };
  return withParts(state, { signal: withSignal(state.signal, { grid, ...read }) });
}

/** The updates of points that are not on the grid, in order. */
export function droppedUpdates({ dropped }: { readonly dropped: MetricSeries }): number[] {
  const updates = Object.values(dropped).flatMap((points) => points.map(({ update }) => update));
  return [...new Set(updates)].sort((a, b) => a - b);
}

/** What a script records by itself comes when the script says so. */
export function isMeasuredKey(key: string): boolean {
  return key.startsWith("probe/");
}
