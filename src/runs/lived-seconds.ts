import type { EventRecord } from "../journal/format.js";

/** Wall seconds during which a controller lived, summed over terms; the time between two controllers is nobody's. */
export class LivedSeconds {
  readonly #spans = new Map<number, { readonly first: string; last: string }>();

  /** More records of the journal, in their order. */
  take(records: Iterable<Pick<EventRecord, "term" | "at">>): void {
    for (const { term, at } of records) {
      const span = this.#spans.get(term);
      if (span === undefined) this.#spans.set(term, { first: at, last: at });
      else span.last = at;
    }
  }

  get seconds(): number {
    const lived = ({ first, last }: { first: string; last: string }): number => Date.parse(last) - Date.parse(first);
    return [...this.#spans.values()].reduce((sum, span) => sum + Math.max(0, lived(span)) / 1000, 0);
  }
}
