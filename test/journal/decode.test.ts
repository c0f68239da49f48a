import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeLine } from "../../src/journal/decode.js";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { replayJournal } from "../../src/journal/replay.js";
import { sampleRecords } from "./samples.js";

const records = sampleRecords();
const [created, started] = records as [JournalRecord, JournalRecord];

/** A line whose checksum is right, whatever it holds. */
function lineOf(json: string): string {
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}`;
}

function decode(content: unknown): JournalRecord {
  return decodeLine(lineOf(typeof content === "string" ? content : JSON.stringify(content)), 0);
}

function withEvent(record: JournalRecord, event: object): object {
  return { ...record, event: { ...record.event, ...event } };
}

describe("a record that this version did not write", () => {
  it.each<[string, unknown, string, string]>([
    ["no JSON", "{", "foreign_record", "the record at byte 0"],
    ["nested without end", "[".repeat(200_000), "foreign_record", "the record at byte 0"],
    ["null", "null", "foreign_record", "it holds no event"],
    ["a list", "[]", "foreign_record", "it holds no event"],
    ["an event that is none", { ...started, event: 3 }, "foreign_record", "it holds no event"],
    ["a later event", withEvent(started, { type: "run/paused" }), "foreign_record", "record 2 (`run/paused`)"],
    ["an inherited name", withEvent(started, { type: "toString" }), "foreign_record", "not known"],
    ["no type", withEvent(started, { type: null }), "foreign_record", "not known"],
    ["no field", withEvent(started, { pid: undefined }), "foreign_record", "`pid` is missing"],
    ["another field", withEvent(started, { host: 3 }), "foreign_record", "`host` is no string"],
    ["no configuration", withEvent(created, { config: undefined }), "foreign_record", "`config` is missing"],
    ["a configuration that is none", withEvent(created, { config: [] }), "foreign_record", "`config` is no object"],
    ["an empty configuration", withEvent(created, { config: {} }), "foreign_record", "in `config`, `name` is missing"],
    ["no time", { ...started, at: "soon" }, "foreign_record", "`at` is no time"],
    ["no number", { ...started, n: "2" }, "foreign_record", "whole number"],
    ["decisions that are none", { ...started, decisions: [null] }, "foreign_record", "no list of objects"],
    ["commands that are none", { ...started, commands: {} }, "foreign_record", "no list of objects"],
    ["a later format", withEvent(created, { format: 3, config: 1 }), "other_journal_format", "format 3"],
    ["an earlier format", withEvent(created, { format: 1 }), "other_journal_format", "format 1"],
    ["a later core", withEvent(created, { coreVersion: 99 }), "other_core_version", "core version 99"],
  ])("is refused by name: %s", (_, content, code, words) => {
    expect(() => decode(content)).toThrow(expect.objectContaining({ code }));
    expect(() => decode(content)).toThrow(words);
  });

  it("is refused where only reducing it shows that", () => {
    const prepared = records.findIndex(({ event }) => event.type === "worker/prepared");
    const odd = records.map((record, index) => (index === prepared ? withEvent(record, { body: {} }) : record));
    expect(() => replayJournal(odd as JournalRecord[])).toThrow(
      expect.objectContaining({
        code: "foreign_record",
        message: expect.stringContaining("(`worker/prepared`)") as string,
      }),
    );
  });

  it("is told from those that it writes", () => {
    for (const record of records) expect(decodeLine(encodeRecord(record).slice(0, -1), 0)).toEqual(record);
  });
});
