/**
 * The golden messages that hold TypeScript and Python to one protocol: one JSON file a kind, read by both test suites.
 * test/protocol/vectors.test.ts compares the committed files with this; after a change of the protocol write them with
 *
 *     npx vitest run test/protocol/vectors.test.ts --update
 */
import { protocolJsonSchema } from "../../src/protocol/json-schema.js";
import { MESSAGES, type MessageKind } from "../../src/protocol/messages.js";
import { CASES } from "./cases.js";
import { plain, write, type WireValue } from "./msgpack-writer.js";

export interface ValidVector {
  name: string;
  /** The second frame, in hex. */
  map: string;
  /** What it decodes to. */
  message: Record<string, unknown>;
  /** Whether the kind's sender writes exactly these bytes. */
  canonical: boolean;
}

export interface InvalidVector {
  name: string;
  map: string;
  /** The side that is said to have sent it. */
  sender: "worker" | "controller";
  /** What both languages must say: the error's code, and the path with which its text begins. */
  code: string;
  path: string;
}

export interface VectorFile {
  kind: MessageKind;
  declaration: { sender: "worker" | "controller" | "both"; body: unknown };
  valid: ValidVector[];
  invalid: InvalidVector[];
}

/** File name -> content. */
export function vectorFiles(): Record<string, VectorFile> {
  return Object.fromEntries((Object.keys(MESSAGES) as MessageKind[]).map((kind) => [`${kind}.json`, vectorFile(kind)]));
}

function vectorFile(kind: MessageKind): VectorFile {
  const { valid, shortened = {}, invalid } = CASES[kind];
  const schema = protocolJsonSchema() as { messages: Record<string, VectorFile["declaration"]> };
  const declaration = schema.messages[kind];
  if (declaration === undefined) throw new Error(`no schema for ${kind}`);
  const sender = declaration.sender === "both" ? "worker" : declaration.sender;
  const bad = (name: string, message: Envelope, code: string, path: string, from = sender): InvalidVector => {
    return { name, map: hex(message), sender: from, code, path };
  };
  const good = (name: string, message: Envelope, decoded: Envelope, canonical: boolean): ValidVector => {
    return { name, map: hex(message), message: plain(decoded) as Record<string, unknown>, canonical };
  };
  const example = Object.values(valid)[0] ?? {};
  return {
    kind,
    declaration: { sender: declaration.sender, body: declaration.body },
    valid: [
      ...Object.entries(valid).map(([name, body]) => good(name, around(kind, body), around(kind, body), true)),
      ...Object.entries(shortened).map(([name, { body, decoded }]) => {
        return good(name, around(kind, body), around(kind, decoded), false);
      }),
      good("an answer", { ...around(kind, example, 3) }, around(kind, example, 3), true),
    ],
    invalid: [
      ...Object.entries(invalid).map(([name, { body, path, code = "schema" }]) => {
        return bad(name, around(kind, body), code, `$.body${path}`);
      }),
      ...Object.keys(example).map((missing) => {
        return bad(`without ${missing}`, around(kind, { ...example, [missing]: undefined }), "schema", "$.body");
      }),
      bad("an unknown field", around(kind, { ...example, surprise: 1 }), "schema", "$.body"),
      bad("a list for a body", around(kind, []), "schema", "$.body"),
      bad("no body", { ...around(kind, example), body: undefined }, "schema", "$"),
      bad("an unknown field in the envelope", { ...around(kind, example), surprise: 1 }, "schema", "$"),
      bad("an unknown kind", { ...around(kind, example), kind: "greeting" }, "schema", "$.kind"),
      bad("seq zero", { ...around(kind, example), seq: 0 }, "schema", "$.seq"),
      bad("null for reply_to", { ...around(kind, example), reply_to: null }, "schema", "$.reply_to"),
      bad("a session that is too long", { ...around(kind, example), session: "s".repeat(65) }, "schema", "$.session"),
      ...(declaration.sender === "both"
        ? []
        : [bad("the wrong direction", around(kind, example), "direction", "$.kind", opposite(sender))]),
    ],
  };
}

type Envelope = { [key: string]: WireValue | undefined };

function around(kind: MessageKind, body: WireValue, replyTo?: number): Envelope {
  return { kind, run: "cifar10-1", attempt: 2, session: "5f0c", seq: 300, reply_to: replyTo, body };
}

function hex(message: Envelope): string {
  return write(message).toString("hex");
}

function opposite(sender: "worker" | "controller"): "worker" | "controller" {
  return sender === "worker" ? "controller" : "worker";
}
