import { z } from "zod";
import { LIMITS } from "./limits.js";
import { envelope, MESSAGES } from "./messages.js";
import { PROTOCOL_TAG, PROTOCOL_VERSION } from "./version.js";

/**
 * The whole protocol as data, for docs/protocol.schema.json: version, limits, envelope, and every kind with its sender,
 * the version that introduced it, its meaning and the JSON Schema of its body as it goes over the wire.
 */
export function protocolJsonSchema(): object {
  const messages = Object.entries(MESSAGES).map(([kind, { sender, since, meaning, body }]) => [
    kind,
    { sender, since, meaning, body: bodySchema(body) },
  ]);
  return {
    title: "thawline protocol",
    version: PROTOCOL_VERSION,
    tag: PROTOCOL_TAG,
    limits: LIMITS,
    envelope: bodySchema(envelope),
    messages: Object.fromEntries(messages) as Record<string, unknown>,
  };
}

function bodySchema(schema: z.ZodType): object {
  // "input": what a peer may send, where fields with a default may be missing.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
