/**
 * Writes the JSON Schemas that are kept in the repository: configs/schema.json and docs/protocol.schema.json.
 * Run by `npm run schema`; CI fails if that changes a file.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { configJsonSchema } from "../config/json-schema.js";
import { PACKAGE_ROOT } from "../package.js";
import { protocolJsonSchema } from "../protocol/json-schema.js";

function write(path: string, schema: unknown): void {
  const file = join(PACKAGE_ROOT, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}

write("configs/schema.json", configJsonSchema());
write("docs/protocol.schema.json", protocolJsonSchema());
