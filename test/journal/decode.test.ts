import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { decodeLine, eventDecoder } from "../../src/journal/decode.js";
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

describe("a record that is read for its event", () => {
  const outcome = fc.option(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }), { nil: undefined });
  const added = fc.record({ decisions: outcome, commands: outcome, synced: fc.option(fc.nat(), { nil: undefined }) });

  it("has all but what was decided and ordered, whatever that holds", () => {
    fc.assert(
      fc.property(fc.nat(records.length - 1), added, fc.string(), (index, more, who) => {
        const { n, term, at, event } = records[index]!;
        const said = event.type === "operator/requested" ? { ...event, who } : event;
        const line = encodeRecord({ n, term, at, event: said, ...more } as unknown as JournalRecord).slice(0, -1);
        const { decisions: _, commands: __, ...expected } = decodeLine(line, 0);
        const read = eventDecoder()(line, 0);
        expect({ ...read, decisions: undefined, commands: undefined }).toEqual(expected);
        // A key inside an outcome may look like `synced` of the record: then all of it is read.
        if (more.synced === undefined) expect(read).toEqual(expected);
      }),
    );
  });

  it("parses none of it", () => {
    const decode = eventDecoder();
    const lines = records.map((record) => encodeRecord({ ...record, synced: 7 }).slice(0, -1));
    const decided = records.filter(({ decisions, commands }) => decisions ?? commands);
    expect(decided.length).toBeGreaterThan(10);
    const parse = vi.spyOn(JSON, "parse");
    for (const line of lines) decode(line, 0);
    const texts = parse.mock.calls.map(([text]) => text);
    parse.mockRestore();
    expect(texts).toHaveLength(records.length);
    expect(texts.filter((text) => /"(?:decisions|commands)"/.test(text))).toEqual([]);
  });

  it.each<[string, object]>([
    ["inside an event", { event: { ...started.event, more: { x: 1, decisions: [1] } } }],
    ["in a text", { event: { ...started.event, host: 'a,"decisions":[{}],"commands":[' } }],
    ["beside the event", { more: { x: 1, commands: [{ y: [{}] }] } }],
  ])("is not cut at a key of that name %s", (_, more) => {
    for (const end of [{}, { synced: 3 }, { decisions: [{}] }, { decisions: [{ synced: 9 }] }]) {
      const line = lineOf(JSON.stringify({ ...started, decisions: undefined, commands: undefined, ...more, ...end }));
      const { event, synced } = decodeLine(line, 0);
      expect(eventDecoder()(line, 0)).toMatchObject({ event, ...(synced === undefined ? {} : { synced }) });
    }
  });

  it("is whole where another core has decided it", () => {
    const decode = eventDecoder();
    decode(lineOf(JSON.stringify(withEvent(created, { coreVersion: 0 }))), 0);
    for (const record of records.slice(1)) expect(decode(encodeRecord(record).slice(0, -1), 0)).toEqual(record);
  });

  it("is refused where a byte of what is not parsed has changed", () => {
    const record = records.find(({ decisions }) => decisions !== undefined)!;
    const line = encodeRecord(record).slice(0, -1);
    const bad = `${line.slice(0, -4)}~${line.slice(-3)}`;
    expect(() => eventDecoder()(bad, 5)).toThrow("the journal is damaged at byte 5");
  });
});
