// Writes the JSON Schemas that are kept in the repository: configs/schema.json, configs/sweeps/schema.json and
// docs/protocol.schema.json.
// Needs dist/. Run by `npm run schema`; CI fails if that changes a file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema } from "../dist/config/json-schema.js";
import { protocolJsonSchema } from "../dist/protocol/json-schema.js";
import { sweepJsonSchema } from "../dist/sweep/json-schema.js";
import { ROOT } from "./python.mjs";

const write = (path, schema) => writeFileSync(join(ROOT, path), `${JSON.stringify(schema, null, 2)}\n`);

write("configs/schema.json", configJsonSchema());
write("configs/sweeps/schema.json", sweepJsonSchema());
write("docs/protocol.schema.json", protocolJsonSchema());
