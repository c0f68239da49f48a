import { encode } from "@msgpack/msgpack";
import type { z } from "zod";
import { LIMITS } from "./limits.js";
import { envelope, MESSAGES, type Message } from "./messages.js";
import { prescan, ProtocolError, QUOTED_CHARACTERS } from "./prescan.js";
import { readMap, readWithHalves } from "./read-map.js";
import { PROTOCOL_TAG, PROTOCOL_VERSION } from "./version.js";

export { ProtocolError, type ProtocolErrorCode } from "./prescan.js";

export type Sender = "worker" | "controller";

/**
 * The two frames of a message: protocol tag and msgpack map.
 *
 * @throws ProtocolError where the body breaks its own schema, or the whole the limits of a frame.
 */
export function encodeMessage(message: Message): [Buffer, Buffer] {
  const { body, ...around } = parse(envelope, message, "$");
  const checked = { ...around, body: parse(MESSAGES[message.kind].body, body, "$.body") };
  const map = Buffer.from(encodeMap(checked));
  prescan(map);
  return [Buffer.from(PROTOCOL_TAG), map];
}

/**
 * The message in `frames`, with defaults filled in. With `sender`, kinds that this side never sends are refused as well.
 *
 * @throws ProtocolError, whose text names the path, for everything that is not a message of this protocol.
 */
export function decodeMessage(frames: readonly Uint8Array[], sender?: Sender): Message {
  const map = checkFrames(frames);
  prescan(map);
  const message = readMessage(readMap(map), sender);
  // A whole number that was sent as a float is none, in both languages.
  const halved = readWithHalves(map);
  if (halved !== null) readMessage(halved, sender);
  return message;
}

function readMessage(map: unknown, sender: Sender | undefined): Message {
  const { body, ...around } = parse(envelope, map, "$");
  const declaration = MESSAGES[around.kind];
  if (sender !== undefined && declaration.sender !== sender && declaration.sender !== "both") {
    throw new ProtocolError("direction", `$.kind: a ${sender} never sends \`${around.kind}\``);
  }
  return { ...around, body: parse(declaration.body, body, "$.body") } as Message;
}

/**
 * The protocol version of a `hello`, read leniently: a peer of another major may have another schema, or another tag,
 * and still has to be told why it is refused. Null where the frames say nothing about a version.
 */
export function announcedVersion(frames: readonly Uint8Array[]): { major: number; minor: number } | null {
  const tag = /^THAW(\d{1,3})$/.exec(Buffer.from(frames[0] ?? []).toString("latin1"));
  if (tag === null) return null;
  const major = Number(tag[1]);
  if (major !== PROTOCOL_VERSION.major) return { major, minor: 0 };
  try {
    const map = checkFrames(frames);
    prescan(map);
    const message = readMap(map) as { kind?: unknown; body?: { protocol?: { major?: unknown; minor?: unknown } } };
    const protocol = message.kind === "hello" ? message.body?.protocol : undefined;
    if (typeof protocol?.major !== "number" || typeof protocol.minor !== "number") return null;
    return { major: protocol.major, minor: protocol.minor };
  } catch {
    return null;
  }
}

function checkFrames(frames: readonly Uint8Array[]): Uint8Array {
  const [tag, map] = frames;
  if (tag === undefined || map === undefined || frames.length !== 2) {
    throw new ProtocolError("frame_count", `a message of ${frames.length} frames (expected 2)`);
  }
  const text = Buffer.from(tag).toString("latin1");
  if (text === PROTOCOL_TAG) return map;
  if (/^THAW\d{1,3}$/.test(text)) {
    throw new ProtocolError(
      "incompatible",
      `the peer speaks protocol ${text.slice(4)}, this package protocol ${PROTOCOL_VERSION.major}`,
    );
  }
  throw new ProtocolError("tag", "the first frame is not a thawline tag");
}

function encodeMap(value: object): Uint8Array {
  try {
    return encode(value, { ignoreUndefined: true, maxDepth: LIMITS.depth + 1 });
  } catch (error) {
    throw new ProtocolError("msgpack", `$: ${(error as Error).message}`);
  }
}

function parse<S extends z.ZodType>(schema: S, value: unknown, root: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).map((step) =>
    typeof step === "number" ? `[${step}]` : `.${String(step).slice(0, QUOTED_CHARACTERS)}`,
  );
  throw new ProtocolError("schema", `${root}${path.join("")}: ${lowerFirst(issue?.message ?? "invalid")}`);
}

function lowerFirst(text: string): string {
  return text.replace(/^Invalid input: /, "").replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}
