import type { JournalRecord } from "../journal/format.js";

/** Wall seconds during which a controller lived, summed over epochs; the time between two controllers is nobody's. */
export function livedSeconds(records: readonly JournalRecord[]): number {
  const spans = new Map<number, { first: number; last: number }>();
  for (const { epoch, at } of records) {
    const time = Date.parse(at);
    const span = spans.get(epoch);
    spans.set(epoch, { first: span?.first ?? time, last: time });
  }
  return [...spans.values()].reduce((sum, { first, last }) => sum + Math.max(0, last - first) / 1000, 0);
}
