import { blockKey } from "../../src/core/block-series.js";
import { pointSeries } from "../../src/core/point-series.js";
import type { State } from "../../src/core/state.js";
import type { MetricValue } from "../../src/protocol/messages.js";
import { simulateRun } from "./journal-builder.js";

type Values = Readonly<Record<string, readonly [MetricValue, MetricValue | null]>>;

/** A run whose latest boundary measured these values and errors, by block and metric key. */
export function stateWithBlocks(blocks: Readonly<Record<string, Values>>): State {
  const { state } = simulateRun({ until: ({ progress }) => progress.frontier >= 60 });
  const update = state.signal.series["probe/fisher_trace"]!.at(-1)!.update;
  const series = { ...state.signal.series };
  for (const [block, values] of Object.entries(blocks)) {
    for (const [key, [value, standardError]] of Object.entries(values)) {
      const point = { update, value, standardError, changeError: null, spanError: null, seconds: 0 };
      series[blockKey(key, block)] = pointSeries([point]);
    }
  }
  return { ...state, signal: { ...state.signal, series } };
}
