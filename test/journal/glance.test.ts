import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { encodeRecord } from "../../src/journal/format.js";
import { Glance } from "../../src/journal/glance.js";
import { simulateRun } from "../support/journal-builder.js";

const { records } = simulateRun();
const WORD = `"interval/decided"`;
const decided = records.filter((record) => encodeRecord(record).includes(WORD));

describe("a glance at a journal", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "thawline-glance-"));
  });

  it("finds what holds the word and what came last, each once, however the journal grows", async () => {
    const glance = new Glance(folder, [WORD]);
    expect(await glance.take()).toEqual([]);
    const path = join(folder, "journal");
    const text = records.map(encodeRecord).join("");
    const found: number[] = [];
    writeFileSync(path, "");
    for (let at = 0; at < text.length; at += 5000) {
      appendFileSync(path, text.slice(at, at + 5000));
      found.push(...(await glance.take()).map(({ n }) => n));
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining([...decided, records.at(-1)!].map(({ n }) => n)));
    expect(await glance.take()).toEqual([]);
  });

  it("passes over what it does not need", async () => {
    writeFileSync(join(folder, "journal"), records.map(encodeRecord).join(""));
    const taken = await new Glance(folder, [WORD]).take();
    expect(taken.length).toBeLessThan(records.length / 2);
    expect(taken.map(({ n }) => n)).toEqual([...taken.map(({ n }) => n)].sort((a, b) => a - b));
  });

  it("begins again where another journal stands in its place, and passes over damage", async () => {
    const path = join(folder, "journal");
    const glance = new Glance(folder, [WORD]);
    writeFileSync(path, records.map(encodeRecord).join(""));
    await glance.take();
    writeFileSync(path, `damaged\n${encodeRecord(records[0]!)}`);
    expect((await glance.take()).map(({ n }) => n)).toEqual([1]);
  });
});
