import { blockKey, splitKey } from "../core/block-series.js";
import { signalKey } from "../core/detector/signal.js";
import { measuredBy } from "../core/measured.js";
import type { State } from "../core/state.js";
import type { MetricValue } from "../protocol/messages.js";

/** What the signals were of each block at the last boundary at which they were measured. */
export interface BlockSignals {
  readonly update: number;
  /** Configuration names of the metrics that blocks have. */
  readonly metrics: readonly string[];
  /** The whole scope (`block` null), then the head and the blocks from the top down, of which something was in scope. */
  readonly rows: readonly BlockSignalRow[];
}

export interface BlockSignalRow {
  readonly block: string | null;
  /** In the order of `metrics`; null where it had none. */
  readonly values: readonly (BlockSignal | null)[];
}

export interface BlockSignal {
  readonly value: MetricValue;
  readonly standardError: MetricValue | null;
}

/** Null where no boundary has measured blocks by themselves. */
export function selectBlockSignals(state: State): BlockSignals | null {
  const { series } = state.signal;
  const split = new Set(Object.keys(series).flatMap((key) => splitKey(key)?.metric ?? []));
  const metrics = (measuredBy(state.config)?.metrics ?? []).filter((metric) => split.has(signalKey(metric)));
  const update = Math.max(0, ...metrics.map((metric) => series[signalKey(metric)]?.at(-1)?.update ?? 0));
  if (state.model === null || metrics.length === 0 || update === 0) return null;
  const row = (block: string | null): BlockSignalRow => ({
    block,
    values: metrics.map((metric) => {
      const key = block === null ? signalKey(metric) : blockKey(signalKey(metric), block);
      const point = series[key]?.get(update);
      return point === undefined ? null : { value: point.value, standardError: point.standardError };
    }),
  });
  const names = [state.model.head, ...state.model.blocks].map(({ name }) => name);
  const parts = names.map(row).filter(({ values }) => values.some((value) => value !== null));
  return { update, metrics, rows: [row(null), ...parts] };
}
