import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { openJournalWriter } from "../../src/journal/writer.js";
import { encoded, sampleRecords, writeJournal } from "./samples.js";

const records = sampleRecords();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-journal-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(runFolder: string, validBytes: number, all: readonly JournalRecord[]): void {
  const writer = openJournalWriter(runFolder, validBytes);
  for (const [index, record] of all.entries()) writer.append(record, index % 3 === 0);
  writer.close();
}

describe("the journal's writer", () => {
  it("writes what the reader reads, durable or not", async () => {
    write(folder, 0, records);
    expect(await readJournal(folder)).toMatchObject({ records });
    expect(readFileSync(join(folder, JOURNAL_FILE))).toEqual(encoded(records));
  });

  it("has written a record when `append` returns, before it is durable", async () => {
    const writer = openJournalWriter(folder, 0);
    for (const record of records.slice(0, 5)) {
      writer.append(record, false);
      expect((await readJournal(folder)).records.at(-1)).toEqual(record);
    }
    writer.close();
  });

  it("cuts off a torn last line and goes on behind it", async () => {
    write(folder, 0, records.slice(0, 3));
    for (const torn of ["x", '12345678 {"n":4', "\0".repeat(9000)]) {
      appendFileSync(join(folder, JOURNAL_FILE), torn);
      const { validBytes, totalBytes } = await readJournal(folder);
      expect(totalBytes - validBytes).toBe(torn.length);
      write(folder, validBytes, []);
      expect((await readJournal(folder)).totalBytes).toBe(validBytes);
    }
    write(folder, (await readJournal(folder)).validBytes, records.slice(3));
    expect(await readJournal(folder)).toMatchObject({ records });
  });

  it("overwrites no journal, not even one whose first line is torn", () => {
    writeJournal(folder, "torn in the first line");
    expect(() => openJournalWriter(folder, 0)).toThrow(/EEXIST/);
  });
});

/** A file system of 64 KiB; null where mounting one is not permitted. */
function mountTinyDisk(): string | null {
  const mountPoint = mkdtempSync(join(tmpdir(), "thawline-tiny-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mountPoint], { stdio: "ignore" });
    return mountPoint;
  } catch {
    rmSync(mountPoint, { recursive: true });
    return null;
  }
}

const tinyDisk = mountTinyDisk();
afterAll(() => {
  if (tinyDisk === null) return;
  execFileSync("umount", [tinyDisk]);
  rmSync(tinyDisk, { recursive: true });
});

// Needs the right to mount a small file system (root).
describe.skipIf(tinyDisk === null)("on a full disk", () => {
  it("says so, leaves no half record, and goes on when there is room again", async () => {
    const ballast = join(tinyDisk!, "ballast");
    writeFileSync(ballast, Buffer.alloc(40_960));
    const writer = openJournalWriter(tinyDisk!, 0);
    const large = (n: number): JournalRecord => {
      const event = { type: "attempt/violated", attempt: 1, reason: "x".repeat(5000) } as const;
      return { n, epoch: 1, at: "", event };
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
    const { records: whole, validBytes, totalBytes } = await readJournal(tinyDisk!);
    expect([whole.length, totalBytes]).toEqual([n, validBytes]);
    rmSync(ballast);
    writer.append(large(n + 1), true);
    writer.close();
    expect((await readJournal(tinyDisk!)).records).toHaveLength(n + 1);
  });
});
