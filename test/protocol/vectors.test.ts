import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage, ProtocolError } from "../../src/protocol/codec.js";
import { MESSAGES } from "../../src/protocol/messages.js";
import { PROTOCOL_TAG } from "../../src/protocol/version.js";
import { vectorFiles } from "../vectors/generate.js";

const tag = Buffer.from(PROTOCOL_TAG);
const folder = new URL("../vectors/", import.meta.url);
const files = Object.entries(vectorFiles());

test("every kind has committed vectors, and nothing else does", () => {
  const committed = readdirSync(folder).filter((name) => name.endsWith(".json"));
  expect(committed.sort()).toEqual(
    Object.keys(MESSAGES)
      .map((kind) => `${kind}.json`)
      .sort(),
  );
});

describe.each(files)("%s", (name, file) => {
  test("the committed vectors are those of this protocol", async () => {
    await expect(`${JSON.stringify(file, null, 1)}\n`).toMatchFileSnapshot(new URL(name, folder).pathname);
  });

  test.each(file.valid)("accepts: $name", ({ map, message, canonical }) => {
    const decoded = decodeMessage([tag, Buffer.from(map, "hex")]);
    expect(decoded).toEqual(message);

    const frames = encodeMessage(decoded);
    expect(decodeMessage(frames)).toEqual(message);
    // JavaScript writes 1.0 as an integer, so bytes can only be compared on the side that sends the kind.
    if (canonical && file.declaration.sender !== "worker") expect(frames[1].toString("hex")).toBe(map);
  });

  test.each(file.invalid)("refuses: $name", ({ map, sender, code, path }) => {
    const error = refusal(() => decodeMessage([tag, Buffer.from(map, "hex")], sender));
    expect(error).toBeInstanceOf(ProtocolError);
    expect({ code: error.code, path: error.message.slice(0, path.length) }).toEqual({ code, path });
  });
});

function refusal(action: () => unknown): ProtocolError {
  try {
    action();
  } catch (error) {
    return error as ProtocolError;
  }
  throw new Error("accepted");
}
