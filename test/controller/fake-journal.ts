import type { JournalRecord } from "../../src/journal/format.js";
import type { JournalWriter } from "../../src/journal/writer.js";
import type { Ledger } from "./ledger.js";

/** A journal in memory. */
export class FakeJournal implements JournalWriter {
  readonly records: JournalRecord[] = [];
  /** What `append` fails with from now on, if anything: a full disk, say. */
  fault: Error | null = null;

  constructor(private readonly ledger: Ledger) {}

  append(record: JournalRecord, durable: boolean): void {
    if (this.fault !== null) throw this.fault;
    this.records.push(record);
    this.ledger.note(`journal ${record.event.type}${durable ? ", on the disk" : ""}`);
  }

  close(): void {
    this.ledger.note("close the journal");
  }
}
