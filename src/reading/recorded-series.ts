import { isFinite, recordedKey, recordedNames } from "../core/detector/signal.js";
import type { State } from "../core/state.js";
import type { MetricValue } from "../protocol/messages.js";

/** What a script recorded under one name. */
export interface RecordedSeries {
  readonly points: number;
  /** The latest one, and the boundary with which it came. */
  readonly last: {
    readonly update: number;
    readonly value: MetricValue;
    readonly standard_error: MetricValue | null;
  };
  /** Of the finite values; null where there are none. */
  readonly least: number | null;
  readonly most: number | null;
}

/** Every series that the script recorded, by its name; the values themselves are in the journal. */
export function recordedSeries({ signal: { series } }: State): Record<string, RecordedSeries> {
  return Object.fromEntries(
    recordedNames(series).flatMap((name): [string, RecordedSeries][] => {
      const points = series[recordedKey(name)]!;
      const latest = points.at(-1);
      if (latest === undefined) return [];
      const { update, value, standardError: standard_error } = latest;
      const finite = points.map((point) => point.value).filter(isFinite);
      const extreme = (of: (a: number, b: number) => number): number | null =>
        finite.length === 0 ? null : finite.reduce((a, b) => of(a, b));
      const last = { update, value, standard_error };
      return [[name, { points: points.length, last, least: extreme(Math.min), most: extreme(Math.max) }]];
    }),
  );
}
