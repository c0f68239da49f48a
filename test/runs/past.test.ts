import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import { readJournal, scanJournal } from "../../src/journal/reader.js";
import { replayJournal } from "../../src/journal/replay.js";
import { readPast } from "../../src/runs/past.js";
import { writeLongJournal } from "../support/long-journal.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-past-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Takes the run over in a further term, of `seconds`. */
function takeOver(n: number, term: number, seconds: number, inode: number): void {
  const began = Date.parse("2027-01-01T00:00:00.000Z") + term * 1e6;
  const at = (passed: number): string => new Date(began + passed * 1000).toISOString();
  const place = { identity: "one", path: folder, device: 1, inode };
  const records: JournalRecord[] = [
    { n, term, at: at(0), event: { type: "controller/started", term, pid: 1, host: "h", folder: place } },
    { n: n + 1, term, at: at(seconds), event: { type: "controller/failed", message: "the disk is full" } },
  ];
  appendFileSync(join(folder, JOURNAL_FILE), records.map(encodeRecord).join(""));
}

describe("the past of a run", () => {
  it("is told by one pass over a journal of several pieces and terms", async () => {
    const count = writeLongJournal(folder, 300, "open");
    const { records } = await readJournal(folder);
    const seconds = (Date.parse(records.at(-1)!.at) - Date.parse(records[1]!.at)) / 1000;
    takeOver(count + 1, 2, 5, 1);
    takeOver(count + 3, 3, 7, 2);
    let pieces = 0;
    const extent = await scanJournal(folder, () => (pieces += 1));
    expect(pieces).toBeGreaterThan(1);
    const past = await readPast(folder);
    expect(past).toMatchObject({ ...extent, numRecords: count + 4, folder: { inode: 2 } });
    expect(past.livedSeconds).toBeCloseTo(seconds + 5 + 7, 9);
    expect(past.state).toEqual(replayJournal((await readJournal(folder)).records));
  });

  it("is not told where there is none", async () => {
    await expect(readPast(folder)).rejects.toMatchObject({ code: "no_journal" });
  });
});
