import { LIMITS } from "./limits.js";

export type ProtocolErrorCode =
  "frame_count" | "tag" | "incompatible" | "frame_size" | "msgpack" | "limit" | "schema" | "direction" | "order";

/** Bytes or a value that the protocol does not allow; the message starts with the path, e.g. `$.body.metrics[2]`. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Most characters of a foreign key or kind that an error message repeats. */
export const QUOTED_CHARACTERS = 64;

/**
 * Checks the shape of a msgpack frame before anything is decoded from it; python/thawline/wire/prescan.py is its mirror.
 *
 * The scan allocates nothing that grows with what a header announces. It also refuses what the two languages would read
 * differently: duplicate keys, `__proto__`, integers beyond 53 bits, bare NaN and infinities, binary and extension types.
 *
 * @throws ProtocolError unless `frame` is exactly one msgpack map within LIMITS.
 */
export function prescan(frame: Uint8Array): void {
  if (frame.length > LIMITS.frameBytes) {
    throw new ProtocolError("frame_size", `$: a frame of ${frame.length} bytes (limit ${LIMITS.frameBytes})`);
  }
  new Scan(frame).root();
}

/** `fatal` refuses what Python refuses; a byte order mark is an ordinary character. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Scan {
  private readonly view: DataView;
  private readonly path: (string | number)[] = [];
  private offset = 0;

  constructor(private readonly frame: Uint8Array) {
    this.view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  }

  root(): void {
    const head = this.frame[0] ?? 0;
    if (!((head >= 0x80 && head <= 0x8f) || head === 0xde || head === 0xdf)) {
      throw this.error("msgpack", "expected a map");
    }
    this.value();
    const rest = this.frame.length - this.offset;
    if (rest > 0) throw this.error("msgpack", `${rest} bytes after the end of the message`);
  }

  private value(): void {
    const head = this.unsigned(1);
    if (head <= 0x7f || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) return;
    if (head <= 0x8f) return this.map(head & 0x0f);
    if (head <= 0x9f) return this.array(head & 0x0f);
    if (head <= 0xbf) return void this.string(head & 0x1f);
    switch (head) {
      case 0xca:
      case 0xcb:
        return this.float(head === 0xca ? 4 : 8);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.integer(1 << (head - 0xcc), false);
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.integer(1 << (head - 0xd0), true);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return void this.string(this.unsigned(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.array(this.unsigned(head === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.map(this.unsigned(head === 0xde ? 2 : 4));
      default:
        throw this.error(
          "msgpack",
          `type byte 0x${head.toString(16)} (binary and extension types are not part of the protocol)`,
        );
    }
  }

  private array(length: number): void {
    this.open("an array", length, LIMITS.arrayLength);
    for (let index = 0; index < length; index++) {
      this.path.push(index);
      this.value();
      this.path.pop();
    }
  }

  private map(length: number): void {
    this.open("a map", length, LIMITS.mapLength);
    const keys = new Set<string>();
    for (let index = 0; index < length; index++) {
      const key = this.key();
      if (keys.has(key) || key === "__proto__") {
        const problem = keys.has(key) ? "given twice" : "not allowed";
        throw this.error("msgpack", `key \`${key.slice(0, QUOTED_CHARACTERS)}\` is ${problem}`);
      }
      keys.add(key);
      this.path.push(key);
      this.value();
      this.path.pop();
    }
  }

  private open(what: string, length: number, limit: number): void {
    if (length > limit) throw this.error("limit", `${what} of ${length} elements (limit ${limit})`);
    // The path has one entry per open container, so its length is the depth of the container around this one.
    if (this.path.length >= LIMITS.depth) throw this.error("limit", `nested deeper than ${LIMITS.depth}`);
  }

  private key(): string {
    const head = this.unsigned(1);
    if (head >= 0xa0 && head <= 0xbf) return this.string(head & 0x1f);
    if (head >= 0xd9 && head <= 0xdb) return this.string(this.unsigned(1 << (head - 0xd9)));
    throw this.error("msgpack", "a key that is not a string");
  }

  private string(length: number): string {
    if (length > LIMITS.stringBytes) {
      throw this.error("limit", `a string of ${length} bytes (limit ${LIMITS.stringBytes})`);
    }
    const start = this.take(length);
    try {
      return utf8.decode(this.frame.subarray(start, start + length));
    } catch {
      throw this.error("msgpack", "a string that is not UTF-8");
    }
  }

  private integer(size: number, signed: boolean): void {
    if (size < 8) return void this.take(size);
    const start = this.take(size);
    const value = signed ? this.view.getBigInt64(start) : this.view.getBigUint64(start);
    const limit = BigInt(Number.MAX_SAFE_INTEGER);
    if (value > limit || value < -limit) throw this.error("limit", "an integer beyond 53 bits");
  }

  private float(size: 4 | 8): void {
    const start = this.take(size);
    const value = size === 4 ? this.view.getFloat32(start) : this.view.getFloat64(start);
    if (!Number.isFinite(value)) throw this.error("schema", "a bare NaN or infinity");
  }

  private unsigned(size: number): number {
    const start = this.take(size);
    if (size === 1) return this.view.getUint8(start);
    return size === 2 ? this.view.getUint16(start) : this.view.getUint32(start);
  }

  /** Moves past `size` bytes and returns where they start. */
  private take(size: number): number {
    const start = this.offset;
    if (start + size > this.frame.length) throw this.error("msgpack", "the frame ends in the middle of a value");
    this.offset = start + size;
    return start;
  }

  private error(code: ProtocolErrorCode, problem: string): ProtocolError {
    const steps = this.path.map((step) =>
      typeof step === "number" ? `[${step}]` : `.${step.slice(0, QUOTED_CHARACTERS)}`,
    );
    return new ProtocolError(code, `$${steps.join("")}: ${problem}`);
  }
}
