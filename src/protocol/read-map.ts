/**
 * The value of a msgpack map that `prescan` has passed: its depth is bounded, and it holds only null, booleans, whole
 * numbers of 53 bits, finite floats, UTF-8 texts, arrays and maps with distinct keys. Of our own, since a decoder for
 * all of msgpack tells neither 1 from 1.0 nor a text that begins with a byte order mark from one without it.
 *
 * @param float what a float becomes: itself where nothing else is said
 */
export function readMap(frame: Uint8Array, float: (value: number) => number = (value) => value): unknown {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let offset = 0;
  const take = (size: number): number => {
    offset += size;
    return offset - size;
  };
  const unsigned = (size: number): number => {
    const start = take(size);
    if (size === 1) return view.getUint8(start);
    return size === 2 ? view.getUint16(start) : size === 4 ? view.getUint32(start) : Number(view.getBigUint64(start));
  };
  const signed = (size: number): number => {
    const start = take(size);
    if (size === 1) return view.getInt8(start);
    return size === 2 ? view.getInt16(start) : size === 4 ? view.getInt32(start) : Number(view.getBigInt64(start));
  };
  const text = (length: number): string => {
    const start = take(length);
    return utf8.decode(frame.subarray(start, start + length));
  };
  const array = (length: number): unknown[] => Array.from({ length }, value);
  const map = (length: number): Record<string, unknown> => {
    const entries: Record<string, unknown> = {};
    for (let index = 0; index < length; index += 1) {
      const key = value() as string;
      entries[key] = value();
    }
    return entries;
  };
  function value(): unknown {
    const head = unsigned(1);
    if (head <= 0x7f) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head <= 0x8f) return map(head & 0x0f);
    if (head <= 0x9f) return array(head & 0x0f);
    if (head <= 0xbf) return text(head & 0x1f);
    if (head === 0xc0) return null;
    if (head <= 0xc3) return head === 0xc3;
    if (head === 0xca) return float(view.getFloat32(take(4)));
    if (head === 0xcb) return float(view.getFloat64(take(8)));
    if (head <= 0xcf) return unsigned(1 << (head - 0xcc));
    if (head <= 0xd3) return signed(1 << (head - 0xd0));
    if (head <= 0xdb) return text(unsigned(1 << (head - 0xd9)));
    return head <= 0xdd ? array(unsigned(head === 0xdc ? 2 : 4)) : map(unsigned(head === 0xde ? 2 : 4));
  }
  return value();
}

/** A byte order mark is an ordinary character, as it is in Python. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The same map with a half, of its sign, for each float that is a whole number: where a schema wants a whole number it
 * takes 1.0 for 1, which Python does not, and nowhere does a schema that takes 1.0 refuse 0.5. Null where there is none.
 */
export function readWithHalves(frame: Uint8Array): unknown {
  const found = { whole: false };
  const half = (value: number): number => {
    if (!Number.isInteger(value)) return value;
    found.whole = true;
    return value < 0 ? -0.5 : 0.5;
  };
  const map = readMap(frame, half);
  return found.whole ? map : null;
}
