import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { openJournalWriter } from "../../src/journal/writer.js";
import { mountTinyDisk } from "../support/tiny-disk.js";
import { encoded, sampleRecords, writeJournal } from "./samples.js";

const records = sampleRecords();

function fail(error: unknown): never {
  throw error;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-journal-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(runFolder: string, validBytes: number, all: readonly JournalRecord[]): void {
  const writer = openJournalWriter(runFolder, validBytes, fail);
  for (const [index, record] of all.entries()) writer.append(record, index % 3 === 0);
  writer.close();
}

describe("the journal's writer", () => {
  it("writes what the reader reads, durable or not", async () => {
    write(folder, 0, records);
    expect(await readJournal(folder)).toMatchObject({ records });
    // But for what it says of the disk.
    const text = readFileSync(join(folder, JOURNAL_FILE), "utf8");
    expect(text.replaceAll(/^.{9}|,"synced":\d+(?=\}$)/gm, "")).toBe(
      encoded(records).toString("utf8").replaceAll(/^.{9}/gm, ""),
    );
  });

  it("has written a record when `append` returns, before it is durable", async () => {
    const writer = openJournalWriter(folder, 0, fail);
    for (const record of records.slice(0, 5)) {
      writer.append(record, false);
      expect((await readJournal(folder)).records.at(-1)).toMatchObject(record);
    }
    writer.close();
  });

  it("cuts off a torn last line and goes on behind it", async () => {
    write(folder, 0, records.slice(0, 3));
    for (const torn of ["x", '12345678 {"n":4', "\0".repeat(9000)]) {
      appendFileSync(join(folder, JOURNAL_FILE), torn);
      const { validBytes } = await readJournal(folder);
      expect(statSync(join(folder, JOURNAL_FILE)).size - validBytes).toBe(torn.length);
      write(folder, validBytes, []);
      expect(statSync(join(folder, JOURNAL_FILE)).size).toBe(validBytes);
    }
    write(folder, (await readJournal(folder)).validBytes, records.slice(3));
    expect(await readJournal(folder)).toMatchObject({ records });
  });

  it("overwrites no journal, not even one whose first line is torn", () => {
    writeJournal(folder, "torn in the first line");
    expect(() => openJournalWriter(folder, 0, fail)).toThrow(/EEXIST/);
  });
});

const disk = mountTinyDisk(64);
afterAll(() => disk?.remove());

// Needs the right to mount a small file system (root).
describe.skipIf(disk === null)("on a full disk", () => {
  it("says so, leaves no half record, and goes on when there is room again", async () => {
    disk!.fillUpTo(24_576);
    const writer = openJournalWriter(disk!.folder, 0, fail);
    const large = (n: number): JournalRecord => {
      const event = { type: "attempt/violated", attempt: 1, reason: "x".repeat(5000) } as const;
      return { n, term: 1, at: "2026-11-23T12:00:00.000Z", event };
    };
    let n = 0;
    const fill = (): void => {
      for (;;) {
        writer.append(large(n + 1), true);
        n += 1;
      }
    };
    expect(fill).toThrow("the journal cannot be written (ENOSPC)");
    expect(n).toBeGreaterThan(0);
    const { records: whole, validBytes } = await readJournal(disk!.folder);
    expect([whole.length, statSync(join(disk!.folder, JOURNAL_FILE)).size]).toEqual([n, validBytes]);
    disk!.makeRoom();
    writer.append(large(n + 1), true);
    writer.close();
    expect((await readJournal(disk!.folder)).records).toHaveLength(n + 1);
  });
});
