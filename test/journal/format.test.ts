import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeLine } from "../../src/journal/decode.js";
import { encodeRecord } from "../../src/journal/format.js";
import { sampleRecords } from "./samples.js";

const records = sampleRecords();

describe("a record", () => {
  it("is one line: the checksum, a space, JSON", () => {
    const line = encodeRecord(records[1]!);
    expect(line).toMatch(/^[0-9a-f]{8} \{"n":2,.*\}\n$/);
    expect(parseInt(line.slice(0, 8), 16)).toBe(crc32(line.slice(9, -1)));
  });

  it("comes back as it was", () => {
    for (const record of records) expect(decodeLine(encodeRecord(record).slice(0, -1), 0)).toEqual(record);
  });

  it("stays one line whatever its texts hold", () => {
    const event = { type: "attempt/violated", attempt: 1, reason: "a\nb\r\u2028\u0000\ud800" } as const;
    const line = encodeRecord({ n: 1, term: 1, at: "2026-11-23T12:00:00.000Z", event });
    expect(line.trimEnd().split("\n")).toHaveLength(1);
    expect(decodeLine(Buffer.from(line).toString().slice(0, -1), 0).event).toEqual(event);
  });

  it("is refused after any single flipped bit", () => {
    const spoken = records.find(({ event }) => event.type === "operator/requested")!;
    const bytes = Buffer.from(encodeRecord(spoken).slice(0, -1));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeLine(flipped.toString("utf8"), 0)).toThrow("the journal is damaged at byte 0");
    }
  });
});
