import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { JOURNAL_FILE } from "../../src/journal/format.js";
import { followJournal, readJournal } from "../../src/journal/reader.js";
import { openJournalWriter } from "../../src/journal/writer.js";
import { sampleRecords, writeJournal } from "./samples.js";

function fail(error: unknown): never {
  throw error;
}

const records = sampleRecords().slice(0, 14);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-journal-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A journal of which some records were synced: its bytes, where each record ends, and up to where it was on the disk. */
interface Written {
  readonly bytes: Buffer;
  readonly ends: readonly number[];
  readonly durable: number;
  /** What the last record says of that. */
  readonly said: number;
}

/** Written by the real writer, as it stood before it was closed; `durable` says of each record whether it was synced. */
function write(durable: readonly boolean[]): Written {
  rmSync(join(folder, JOURNAL_FILE), { force: true });
  const path = join(folder, JOURNAL_FILE);
  const writer = openJournalWriter(folder, 0, fail);
  const ends: number[] = [];
  let [onDisk, said] = [0, 0];
  for (const [index, record] of records.slice(0, durable.length).entries()) {
    said = onDisk;
    writer.append(record, durable[index]!);
    ends.push(statSync(path).size);
    if (durable[index] || index === 0) onDisk = ends.at(-1)!;
  }
  const bytes = readFileSync(path);
  writer.close();
  return { bytes, ends, durable: onDisk, said };
}

const durables = fc.array(fc.boolean(), { minLength: 2, maxLength: records.length });

describe("a power cut", () => {
  it("that leaves any part of what was not synced costs that alone", async () => {
    const pages = fc.array(fc.tuple(fc.nat(), fc.nat(200), fc.constantFrom(0, 255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(durables, pages, fc.nat(), async (flags, holes, cut) => {
        const { bytes, ends, durable } = write(flags);
        const left = Buffer.from(bytes.subarray(0, durable + (cut % (bytes.length - durable + 1))));
        const room = left.length - durable;
        for (const [at, length, value] of holes)
          if (room > 0) left.fill(value, durable + (at % room), Math.min(left.length, durable + (at % room) + length));
        writeJournal(folder, left);
        const content = await readJournal(folder);
        expect(content.validBytes).toBeGreaterThanOrEqual(durable);
        expect(content.records).toMatchObject(records.slice(0, content.records.length));
        expect(content.validBytes).toBe(ends[content.records.length - 1] ?? 0);
        if (content.lost !== null)
          expect(content.lost).toEqual({ offset: content.validBytes, bytes: left.length - content.validBytes });
        // The next controller goes on from there, and what it writes is read again.
        if (content.records.length === 0 || content.records.length === records.length) return;
        const writer = openJournalWriter(folder, content.validBytes, fail);
        writer.append(records[content.records.length]!, false);
        writer.close();
        const again = await readJournal(folder);
        expect([again.records.length, again.lost]).toEqual([content.records.length + 1, null]);
      }),
      { numRuns: 150 },
    );
  });

  it("cannot have damaged what a later record says was on the disk", async () => {
    await fc.assert(
      fc.asyncProperty(durables, fc.nat(), fc.nat(7), async (flags, at, bit) => {
        const { bytes, ends, said } = write(flags);
        fc.pre(said > 0);
        // Not in the last record, whose word this is.
        const damaged = Buffer.from(bytes);
        damaged[at % said]! ^= 1 << bit;
        writeJournal(folder, damaged);
        const start = ends.findLast((end) => end <= at % said) ?? 0;
        await expect(readJournal(folder)).rejects.toMatchObject({ code: "damaged_journal" });
        await expect(readJournal(folder)).rejects.toThrow(`at byte ${start}`);
      }),
      { numRuns: 80 },
    );
  });

  it("keeps followers waiting for what comes in its place", async () => {
    const { bytes, ends } = write([true, false, false]);
    writeJournal(folder, Buffer.concat([bytes.subarray(0, ends[0]), Buffer.alloc(30), bytes.subarray(ends[0]! + 30)]));
    const stop = new AbortController();
    const follower = followJournal(folder, { signal: stop.signal, pollMilliseconds: 2 });
    expect((await follower.next()).value).toMatchObject({ records: [{ n: 1 }], isLast: true });
    const writer = openJournalWriter(folder, (await readJournal(folder)).validBytes, fail);
    writer.append(records[1]!, false);
    writer.close();
    expect((await follower.next()).value).toMatchObject({ records: [records[1]], lost: null });
    stop.abort();
    expect((await follower.next()).done).toBe(true);
  });
});
