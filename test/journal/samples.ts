import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

/** A simulated run's records, with text that takes more than one byte a character. */
export function sampleRecords(): JournalRecord[] {
  const run = new SimulatedRun(simulatedConfig());
  run.emit({
    type: "operator/requested",
    id: "a",
    who: "Zo\u00eb \ufffd \u{1f331}",
    request: { verb: "pause", at: 50 },
  });
  return run.finish().records;
}

/** Writes `text` as the journal of `runFolder`. */
export function writeJournal(runFolder: string, text: string | Buffer): void {
  writeFileSync(join(runFolder, JOURNAL_FILE), text);
}

export function encoded(records: readonly JournalRecord[]): Buffer {
  return Buffer.from(records.map(encodeRecord).join(""));
}
