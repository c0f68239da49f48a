import { readFileSync, readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage, ProtocolError } from "../../src/protocol/codec.js";
import { LIMITS } from "../../src/protocol/limits.js";
import type { Message } from "../../src/protocol/messages.js";
import { PROTOCOL_TAG } from "../../src/protocol/version.js";
import type { VectorFile } from "../vectors/generate.js";
import { write, type WireValue } from "../vectors/msgpack-writer.js";

const tag = Buffer.from(PROTOCOL_TAG);
const vectorFolder = new URL("../vectors/", import.meta.url);
const goldenMaps = readdirSync(vectorFolder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, vectorFolder), "utf8")) as VectorFile)
  .flatMap((file) => file.valid.map(({ map }) => Buffer.from(map, "hex")));

/** A map with one key, `a`, and `value` in hex as its value. */
const under = (value: string) => Buffer.from(`81a161${value}`, "hex");

const hostile: Record<string, Buffer> = {
  "an array of 30 million in five bytes": under("dd01c9c380"),
  "arrays of 2^32 in each other, 20 deep": under("ddffffffff".repeat(20)),
  "arrays in each other to the size of a frame": under("91".repeat(LIMITS.frameBytes - 3)),
  "maps in each other to the size of a frame": Buffer.from("81a161".repeat(LIMITS.frameBytes / 3), "hex"),
  "a map of 2^32 entries": Buffer.from("dfffffffff", "hex"),
  "a string of 4 GiB": under("dbffffffff"),
  "binary of 4 GiB": under("c6ffffffff"),
  "an extension of 4 GiB": under("c9ffffffff01"),
  "wide arrays in each other": under("dc0400".repeat(8)),
  "a reserved type byte": under("c1"),
  nothing: Buffer.alloc(0),
  "a number": Buffer.from([7]),
  "two messages in a frame": Buffer.concat([under("01"), under("01")]),
  "a frame over the limit": Buffer.concat([under("01"), Buffer.alloc(LIMITS.frameBytes)]),
};

test.each(Object.entries(hostile))("refuses without building it: %s", (_, map) => {
  expect(() => decodeMessage([tag, map])).toThrow(ProtocolError);
});

test.each([
  ["no frames", []],
  ["one frame", [tag]],
  ["three frames", [tag, under("01"), under("01")]],
  ["another protocol's tag", [Buffer.from("MDPW01"), under("01")]],
  ["an empty tag", [Buffer.alloc(0), under("01")]],
])("refuses %s", (_, frames) => {
  expect(() => decodeMessage(frames)).toThrow(ProtocolError);
});

test("a tag of another version says so", () => {
  expect(() => decodeMessage([Buffer.from("THAW2"), under("01")])).toThrow("the peer speaks protocol 2");
});

describe("properties", () => {
  test("bytes of any kind are a message or a ProtocolError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodesOrRefuses), { numRuns: 3000 });
  });

  test("mutated messages are a message or a ProtocolError", () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.nat(255), drop: fc.nat(2) });
    const mutated = fc
      .tuple(fc.constantFrom(...goldenMaps), fc.array(mutation, { minLength: 1, maxLength: 5 }))
      .map(([golden, mutations]) => {
        const bytes = [...golden];
        for (const { at, byte, drop } of mutations) bytes.splice(at % bytes.length, drop, byte);
        return Uint8Array.from(bytes);
      });
    fc.assert(fc.property(mutated, decodesOrRefuses), { numRuns: 5000 });
  });

  test("a configuration within the limits comes back as it went", () => {
    const config = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 8 });
    fc.assert(
      fc.property(config, (given) => {
        fc.pre(!JSON.stringify(given).includes("__proto__"));
        const sent = welcome(JSON.parse(JSON.stringify(given)) as Record<string, unknown>);
        expect(decodeMessage(encodeMessage(sent))).toEqual(sent);
      }),
    );
  });

  test("what is written without the codec reads as the same value", () => {
    const config = fc.dictionary(fc.string(), fc.oneof(fc.maxSafeNat(), fc.boolean(), fc.string({ maxLength: 300 })));
    fc.assert(
      fc.property(config, (given) => {
        fc.pre(!Object.hasOwn(given, "__proto__") && Object.keys(given).length <= LIMITS.mapLength);
        const sent = welcome(given);
        expect(decodeMessage([tag, write(sent as unknown as WireValue)])).toEqual(sent);
      }),
    );
  });
});

describe("a sender is held to the same limits", () => {
  const log = (text: string): Message => ({ ...around, kind: "log", body: { level: "info", text } });

  test.each([
    ["a text over the limit", log("x".repeat(16_385)), "$.body.text: longer than 16384 characters"],
    ["a text of too many bytes", log("\u{1f600}".repeat(8_000)), "$.body.text: a string of 32000 bytes"],
    ["half a character", log("\ud800"), "$.body.text: a string that is not UTF-8"],
    ["a frame over the limit", welcome(Object.fromEntries(texts(5))), "$: a frame of"],
    ["a NaN", welcome({ a: NaN }), "$.body.config.a: a bare NaN"],
    ["a date", welcome({ a: new Date(0) }), "$.body.config.a: type byte 0xd6"],
    ["a function", welcome({ a: () => 1 }), "$: Unrecognized object"],
    ["too deep a configuration", welcome({ a: [[[[[[1]]]]]] }), "$: "],
  ])("%s", (_, message, text) => {
    expect(() => encodeMessage(message)).toThrow(text);
    expect(() => encodeMessage(message)).toThrow(ProtocolError);
  });
});

const around = { run: "a", attempt: 1, session: "s", seq: 1 };

function welcome(config: Record<string, unknown>): Message<"welcome"> {
  const body = { protocol: { major: 1, minor: 0 }, run_folder: "/a", config, resume_from: null };
  return { ...around, kind: "welcome", body };
}

function texts(count: number): [string, string][] {
  return Array.from({ length: count }, (_, index) => [`key${index}`, "x".repeat(16_000)]);
}

function decodesOrRefuses(map: Uint8Array): void {
  try {
    decodeMessage([tag, map]);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
  }
}
