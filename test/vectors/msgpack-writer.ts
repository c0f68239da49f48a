/**
 * A msgpack writer apart from the one under test: it says which numbers are floats (JavaScript alone would write 1.0 as
 * an integer, Python does not), and it can write what no correct peer sends.
 */

/** A number that goes over the wire as a 64-bit float. */
export class Float {
  constructor(readonly value: number) {}
}

/** Bytes that are written as they are. */
export class Raw {
  constructor(readonly hex: string) {}
}

/** A map whose keys may repeat or be no strings. */
export class Entries {
  constructor(readonly entries: [WireValue, WireValue][]) {}
}

export type WireValue =
  null | boolean | number | string | Float | Raw | Entries | WireValue[] | { [key: string]: WireValue | undefined };

export function write(value: WireValue): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === "number") return Number.isSafeInteger(value) ? integer(value) : float(value);
  if (typeof value === "string") return string(value);
  if (value instanceof Float) return float(value.value);
  if (value instanceof Raw) return Buffer.from(value.hex, "hex");
  if (value instanceof Entries) return map(value.entries);
  if (Array.isArray(value)) return Buffer.concat([header(value.length, 0x90, 16, 0xdc), ...value.map(write)]);
  return map(Object.entries(value).filter((entry): entry is [string, WireValue] => entry[1] !== undefined));
}

/** The value as a receiver sees it. */
export function plain(value: WireValue): unknown {
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Raw || value instanceof Entries) throw new Error("only invalid cases hold raw bytes");
  return Object.fromEntries(
    Object.entries(value)
      .filter((entry) => entry[1] !== undefined)
      .map(([key, inner]) => [key, plain(inner as WireValue)]),
  );
}

function map(entries: [WireValue, WireValue][]): Buffer {
  return Buffer.concat([header(entries.length, 0x80, 16, 0xde), ...entries.flat().map(write)]);
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  const short = bytes.length >= 32 && bytes.length < 256;
  return Buffer.concat([short ? Buffer.from([0xd9, bytes.length]) : header(bytes.length, 0xa0, 32, 0xda), bytes]);
}

/** The head of a string, array or map: its length in the first byte, or in the two bytes after it. */
function header(length: number, fixed: number, fixedLimit: number, wide: number): Buffer {
  if (length < fixedLimit) return Buffer.from([fixed | length]);
  if (length > 0xffff) throw new Error("no vector needs this length");
  return Buffer.from([wide, length >> 8, length & 0xff]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function integer(value: number): Buffer {
  if (value < -32) throw new Error("no vector needs this number");
  if (value < 0) return Buffer.from([value & 0xff]);
  if (value < 0x80) return Buffer.from([value]);
  const size = value < 0x100 ? 0 : value < 0x10000 ? 1 : value < 0x100000000 ? 2 : 3;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return Buffer.concat([Buffer.from([0xcc + size]), bytes.subarray(8 - 2 ** size)]);
}
