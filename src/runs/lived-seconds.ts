import type { JournalRecord } from "../journal/format.js";

/** Wall seconds during which a controller lived, summed over terms; the time between two controllers is nobody's. */
export class LivedSeconds {
  readonly #spans = new Map<number, { readonly first: number; last: number }>();

  /** More records of the journal, in their order. */
  take(records: Iterable<JournalRecord>): void {
    for (const { term, at } of records) {
      const time = Date.parse(at);
      const span = this.#spans.get(term);
      if (span === undefined) this.#spans.set(term, { first: time, last: time });
      else span.last = time;
    }
  }

  get seconds(): number {
    return [...this.#spans.values()].reduce((sum, { first, last }) => sum + Math.max(0, last - first) / 1000, 0);
  }
}
