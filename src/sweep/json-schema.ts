import { z } from "zod";
import { sweepFileSchema } from "./file-schema.js";

/** JSON Schema of a sweep's file, for completion and hover texts in editors (configs/sweeps/schema.json). */
export function sweepJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(sweepFileSchema, { io: "input", reused: "inline" });
  return { $schema, title: "thawline sweep", ...schema };
}
