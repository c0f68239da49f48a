import { appendFileSync, mkdtempSync, promises, rmSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import { followJournal, readHead, readJournal, readTail, scanJournal } from "../../src/journal/reader.js";
import { writeLongJournal } from "../support/long-journal.js";
import { encoded, sampleRecords, writeJournal } from "./samples.js";

const records = sampleRecords().slice(0, 6);
/** A journal small enough to be cut at every byte. */
const bytes = encoded(records);
const ends = records.map((_, index) => encoded(records.slice(0, index + 1)).length);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-journal-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("readJournal", () => {
  it("gives back every record", async () => {
    writeJournal(folder, bytes);
    expect(await readJournal(folder)).toMatchObject({ records, validBytes: bytes.length, lost: null });
  });

  it("recovers the whole records in front of a cut at any byte", async () => {
    for (let length = 0; length <= bytes.length; length += 1) {
      writeJournal(folder, bytes.subarray(0, length));
      const content = await readJournal(folder);
      const whole = ends.filter((end) => end <= length);
      expect(content.records).toHaveLength(whole.length);
      expect(content.validBytes).toBe(whole.at(-1) ?? 0);
    }
  });

  it("names the byte at which a damaged record starts", async () => {
    for (const index of [0, 2, 5]) {
      const damaged = Buffer.from(bytes);
      const start = ends[index - 1] ?? 0;
      damaged[start + 20]! ^= 1;
      writeJournal(folder, damaged);
      await expect(readJournal(folder)).rejects.toMatchObject({
        code: "damaged_journal",
        message: `the journal is damaged at byte ${start}`,
      });
    }
  });

  it("takes two lines that ran together for damage, and never for a torn tail", async () => {
    const damaged = Buffer.from(bytes);
    damaged[ends[1]! - 1] = 0;
    writeJournal(folder, damaged);
    await expect(readJournal(folder)).rejects.toThrow(`the journal is damaged at byte ${ends[0]}`);
  });

  it("refuses records that are missing, doubled or out of order", async () => {
    const [first, second, third] = records as [JournalRecord, JournalRecord, JournalRecord];
    writeJournal(folder, encoded([first, third]));
    await expect(readJournal(folder)).rejects.toThrow(
      `the journal is damaged at byte ${ends[0]}: record 3 stands where 2 belongs`,
    );
    writeJournal(folder, encoded([first, second, second]));
    await expect(readJournal(folder)).rejects.toThrow("record 2 stands where 3 belongs");
  });

  it("says that a folder is no run folder", async () => {
    await expect(readJournal(folder)).rejects.toMatchObject({ code: "no_journal" });
    await expect(readJournal(join(folder, "none"))).rejects.toMatchObject({ code: "no_journal" });
  });
});

describe("followJournal", () => {
  it("waits for the journal, for a torn tail, and yields what is appended", async () => {
    const stop = new AbortController();
    const seen: number[][] = [];
    const following = (async () => {
      for await (const piece of followJournal(folder, { signal: stop.signal, pollMilliseconds: 2 })) {
        expect(piece.isLast).toBe(true);
        seen.push(piece.records.map(({ n }) => n));
      }
    })();
    const path = join(folder, JOURNAL_FILE);
    writeJournal(folder, bytes.subarray(0, ends[1]! + 30));
    await expect.poll(() => seen.flat()).toEqual([1, 2]);
    appendFileSync(path, bytes.subarray(ends[1]! + 30, ends[2]! - 1));
    await new Promise((done) => setTimeout(done, 20));
    expect(seen.flat()).toEqual([1, 2]);
    appendFileSync(path, bytes.subarray(ends[2]! - 1));
    await expect.poll(() => seen.flat()).toEqual([1, 2, 3, 4, 5, 6]);
    stop.abort();
    await following;
    expect(seen.every((batch) => batch.length > 0)).toBe(true);
  });

  it("goes on where a new writer has cut off a torn tail", async () => {
    const stop = new AbortController();
    writeJournal(folder, Buffer.concat([bytes.subarray(0, ends[0]), Buffer.from("deadbeef {")]));
    const follower = followJournal(folder, { signal: stop.signal, pollMilliseconds: 2 });
    expect((await follower.next()).value).toEqual({ records: [records[0]], isLast: true, lost: null });
    writeJournal(folder, bytes.subarray(0, ends[1]));
    expect((await follower.next()).value).toEqual({ records: [records[1]], isLast: true, lost: null });
    stop.abort();
    expect((await follower.next()).done).toBe(true);
  });

  it("refuses damage before the tail", async () => {
    const damaged = Buffer.from(bytes);
    damaged[ends[2]! + 3]! ^= 1;
    writeJournal(folder, damaged);
    const follower = followJournal(folder, { signal: new AbortController().signal });
    await expect(follower.next()).rejects.toThrow(`the journal is damaged at byte ${ends[2]}`);
  });

  it("yields a long journal piece by piece, and says which one reaches to its end", async () => {
    const text = encodeRecord({
      ...records[1]!,
      n: 1,
      event: { type: "controller/interrupted", signal: "x".repeat(2 ** 20) },
    });
    const lines = [
      text,
      ...Array.from({ length: 20_000 }, (_, index) => encodeRecord({ ...records[1]!, n: index + 2 })),
    ];
    // More than a piece in the first record, and a torn line that begins where a piece ends.
    writeJournal(folder, Buffer.from(`${lines.join("")}deadbeef {`));
    const stop = new AbortController();
    const pieces: { numbers: number[]; isLast: boolean }[] = [];
    for await (const piece of followJournal(folder, { signal: stop.signal, pollMilliseconds: 2 })) {
      pieces.push({ numbers: piece.records.map(({ n }) => n), isLast: piece.isLast });
      if (piece.isLast) stop.abort();
    }
    expect(pieces.flatMap(({ numbers }) => numbers)).toEqual(lines.map((_, index) => index + 1));
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.map(({ isLast }) => isLast)).toEqual([...pieces.slice(1).map(() => false), true]);
    const most = Math.max(...pieces.slice(1).map(({ numbers }) => numbers.length));
    expect(most * lines[1]!.length).toBeLessThanOrEqual(2 ** 20);
    expect((await readHead(folder))[0]).toMatchObject({ n: 1 });
    expect((await readTail(folder)).at(-1)!.n).toBe(lines.length);
    let visited = 0;
    const extent = await scanJournal(folder, (more) => (visited += more.length));
    expect(extent).toEqual({ validBytes: lines.join("").length, lost: null });
    expect(visited).toBe(lines.length);
  });
});

describe("a long journal", () => {
  /** What `read` asks the file system for; both are counted by the file's own descriptor and by nothing of the reader's. */
  async function counted(read: () => Promise<void>) {
    const { open } = promises;
    const counts = { opened: 0, reads: 0, bytes: 0 };
    promises.open = async (...given) => {
      const file = await open(...given);
      if (String(given[0]).endsWith(JOURNAL_FILE)) counts.opened += 1;
      const reading = file.read.bind(file) as (...args: unknown[]) => Promise<{ bytesRead: number }>;
      return Object.assign(file, {
        read: async (...args: unknown[]) => {
          const done = await reading(...args);
          counts.reads += 1;
          counts.bytes += done.bytesRead;
          return done;
        },
      });
    };
    syncBuiltinESMExports();
    try {
      await read();
    } finally {
      promises.open = open;
      syncBuiltinESMExports();
    }
    return counts;
  }

  const MEGABYTE = 1 << 20;
  let size: number;
  let numRecords: number;
  beforeEach(() => {
    numRecords = writeLongJournal(folder, 4000, "open");
    ({ size } = statSync(join(folder, JOURNAL_FILE)));
    expect(size).toBeGreaterThan(3 * MEGABYTE);
  });

  it("is opened once and read once, a megabyte at a time, and handed on in small pieces", async () => {
    const lengths: number[] = [];
    const scanned = await counted(async () => {
      await scanJournal(folder, ({ length }) => lengths.push(length));
    });
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(numRecords);
    // A piece is 64 KiB, and its records are of half a kilobyte.
    expect(Math.max(...lengths)).toBeLessThan(400);
    expect(scanned).toMatchObject({ opened: 1 });
    expect(scanned.reads).toBeLessThanOrEqual(Math.ceil(size / MEGABYTE) + 1);
    // The line that a block cuts is read again with the next one.
    expect(scanned.bytes).toBeLessThan(1.01 * size);
  });

  it("is opened once by whoever follows it, until there is no more", async () => {
    const stop = new AbortController();
    const followed = await counted(async () => {
      let seen = 0;
      for await (const { records: more, isLast } of followJournal(folder, {
        signal: stop.signal,
        pollMilliseconds: 1,
      })) {
        seen += more.length;
        if (isLast) stop.abort();
      }
      expect(seen).toBe(numRecords);
    });
    expect(followed).toMatchObject({ opened: 1 });
  });
});
