import fc from "fast-check";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Spool } from "../src/spool.js";
import { mountTinyDisk } from "./support/tiny-disk.js";

const disk = mountTinyDisk(256);
afterAll(() => disk?.remove());

const before = process.env["TMPDIR"];
afterEach(() => {
  process.env["TMPDIR"] = before;
});

function emptied(spool: Spool): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = spool.take(); piece !== null; piece = spool.take()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("a spool", () => {
  it("gives what was put, in order, whatever is taken in between, in memory and beyond it", () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 400_000, max: 900_000 })));
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(3)), (puts, takes) => {
        const spool = new Spool();
        const put: Buffer[] = [];
        const taken: Buffer[] = [];
        for (const [index, size] of puts.entries()) {
          const bytes = Buffer.alloc(size, index + 1);
          put.push(bytes);
          spool.put(bytes);
          for (let times = takes[index] ?? 0; times > 0; times -= 1) taken.push(spool.take() ?? Buffer.alloc(0));
        }
        taken.push(emptied(spool));
        expect(Buffer.concat(taken).equals(Buffer.concat(put))).toBe(true);
        expect(spool.isEmpty).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("leaves no file", () => {
    const folder = mkdtempSync(join(tmpdir(), "spool-"));
    process.env["TMPDIR"] = folder;
    const spool = new Spool();
    for (let times = 0; times < 5; times += 1) spool.put(Buffer.alloc(1 << 20, times));
    expect(readdirSync(folder)).toEqual([]);
    expect(emptied(spool)).toHaveLength(5 << 20);
  });

  // Needs the right to mount a small file system (root).
  it.skipIf(disk === null)("goes on in memory, in order, where its file fills the disk", () => {
    process.env["TMPDIR"] = disk!.folder;
    const spool = new Spool();
    const put = Array.from({ length: 40 }, (_, index) => Buffer.alloc(100_000, index));
    for (const bytes of put) spool.put(bytes);
    const first = spool.take()!;
    expect(Buffer.concat([first, emptied(spool)]).equals(Buffer.concat(put))).toBe(true);
  });

  it("keeps everything in memory where no file can be had", () => {
    process.env["TMPDIR"] = "/nowhere";
    const spool = new Spool();
    for (let times = 0; times < 5; times += 1) spool.put(Buffer.alloc(1 << 20, times));
    const all = emptied(spool);
    expect([all.length, all[0], all.at(-1)]).toEqual([5 << 20, 0, 4]);
  });
});
