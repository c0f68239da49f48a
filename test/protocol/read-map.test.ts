import { describe, expect, it } from "vitest";
import { readMap, readWithHalves } from "../../src/protocol/read-map.js";
import { write } from "../vectors/msgpack-writer.js";

describe("readMap", () => {
  it.each([1, 199, 200, 201, 5000])("keeps a byte order mark in front of %i characters", (length) => {
    const text = `\ufeff${"x".repeat(length)}`;
    expect(readMap(write({ [text.slice(0, 300)]: text }))).toEqual({ [text.slice(0, 300)]: text });
  });

  it("gives a half for a float that is a whole number, and null where there is none", () => {
    const floats = Buffer.from(
      "81a161 95 cb3ff0000000000000 cbc000000000000000 ca3f000000 cb8000000000000000 01".replaceAll(" ", ""),
      "hex",
    );
    expect(readMap(floats)).toEqual({ a: [1, -2, 0.5, -0, 1] });
    expect(readWithHalves(floats)).toEqual({ a: [0.5, -0.5, 0.5, 0.5, 1] });
    expect(readWithHalves(write({ a: [1, 2] }))).toBeNull();
  });
});
