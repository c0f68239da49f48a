/** Frames that are nearly messages: golden ones, changed by bytes or by structure. Everything follows from the seed. */
import { Buffer } from "node:buffer";

const INTERESTING_BYTES = [
  0x00, 0x7f, 0x80, 0x8f, 0x90, 0xa0, 0xc0, 0xc1, 0xc3, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd9, 0xdb, 0xdd,
  0xdf, 0xff,
];

/** Values that the two languages might read differently, as msgpack in hex. */
const ODD_VALUES = [
  "cb7ff8000000000000",
  "ca7fc00000",
  "cb7ff0000000000000",
  "cbfff0000000000000",
  "cb8000000000000000",
  "ca80000000",
  "cf0020000000000000",
  "cf001fffffffffffff",
  "d3ffe0000000000001",
  "d3ffe0000000000000",
  "cfffffffffffffffff",
  "cb3ff0000000000000",
  "cb4000000000000000",
  "cbc000000000000000",
  "ca3f800000",
  "cb4340000000000000",
  "cb7fefffffffffffff",
  "cb0000000000000000",
  "01",
  "00",
  "ff",
  "d0ff",
  "cc01",
  "c2",
  "c3",
  "c0",
  "a0",
  "80",
  "90",
  "c400",
  "c70001",
  "d40100",
  "a3efbbbf",
  "a1ff",
  "a3eda080",
  "a4f09f8cb1",
  "a95f5f70726f746f5f5f",
  "81a161c0",
  "91".repeat(12) + "c0",
];

/** @param {number} seed @returns {() => number} numbers in [0, 1) */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where the values (not the keys) of a msgpack map begin and end. @param {Buffer} frame */
function valuesIn(frame) {
  /** @type {[number, number][]} */
  const spans = [];
  let at = 0;
  const length = (size) => ((at += size), frame.readUIntBE(at - size, size));
  const value = (isKey) => {
    const start = at;
    const head = frame[at++];
    if (head >= 0x80 && head <= 0x8f) pairs(head & 15);
    else if (head >= 0x90 && head <= 0x9f) items(head & 15);
    else if (head >= 0xa0 && head <= 0xbf) at += head & 31;
    else if (head === 0xca) at += 4;
    else if (head === 0xcb) at += 8;
    else if (head >= 0xcc && head <= 0xd3) at += 1 << ((head - 0xcc) & 3);
    else if (head >= 0xd9 && head <= 0xdb) at += length(1 << (head - 0xd9));
    else if (head === 0xdc || head === 0xdd) items(length(head === 0xdc ? 2 : 4));
    else if (head === 0xde || head === 0xdf) pairs(length(head === 0xde ? 2 : 4));
    if (!isKey) spans.push([start, at]);
  };
  const items = (count) => {
    for (let n = 0; n < count; n += 1) value(false);
  };
  const pairs = (count) => {
    for (let n = 0; n < count; n += 1) {
      value(true);
      value(false);
    }
  };
  value(false);
  return spans;
}

/** A text in msgpack. @param {string} text */
function textOf(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0xda, bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** @param {readonly Buffer[]} golden @param {() => number} random @returns {Buffer} */
export function nextFrame(golden, random) {
  const below = (limit) => Math.floor(random() * limit);
  const pick = (list) => list[below(list.length)];
  let frame = Buffer.from(pick(golden));
  const put = (start, end, bytes) => Buffer.concat([frame.subarray(0, start), bytes, frame.subarray(end)]);
  /** Structure first: afterwards the frame may be none. */
  const changes = [
    () => {
      const [start, end] = pick(valuesIn(frame).slice(0, -1));
      return put(start, end, Buffer.from(pick(ODD_VALUES), "hex"));
    },
    () => {
      const [start, end] = pick(valuesIn(frame));
      return put(start, end, textOf(`${pick(["", "\ufeff"])}${pick(["x", "\u00e9", "\u{1f331}"]).repeat(below(400))}`));
    },
    () => {
      const [a, b] = pick(valuesIn(frame));
      const [c, d] = pick(valuesIn(frame));
      return put(a, b, frame.subarray(c, d));
    },
    () => {
      const at = below(frame.length);
      const copy = Buffer.from(frame);
      copy[at] ^= 1 << below(8);
      return copy;
    },
    () => {
      const at = below(frame.length);
      const copy = Buffer.from(frame);
      copy[at] = pick(INTERESTING_BYTES);
      return copy;
    },
    () => frame.subarray(0, below(frame.length)),
    () => {
      const at = below(frame.length);
      return put(at, at, frame.subarray(at, at + below(40)));
    },
    () => {
      const at = below(frame.length);
      return put(at, at + below(8), Buffer.alloc(0));
    },
    () => Buffer.concat([frame, Buffer.from(pick(ODD_VALUES), "hex")]),
    // The first key once more, with another value.
    () => {
      const copy = Buffer.concat([frame, Buffer.from("a46b696e64c0", "hex")]);
      if (copy[0] < 0x8f) copy[0] += 1;
      return copy;
    },
  ];
  const structural = 3;
  frame = changes[random() < 0.6 ? below(structural) : below(changes.length)]();
  return frame;
}
