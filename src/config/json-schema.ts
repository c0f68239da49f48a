import { z } from "zod";
import { listPresets } from "./presets.js";
import { configInputSchema } from "./schema.js";

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  /** The kinds of a mapping whose keys depend on its `kind`. */
  readonly oneOf?: readonly JsonSchemaNode[];
  readonly [keyword: string]: unknown;
}

/** JSON Schema of a configuration file, for completion and hover texts in editors (configs/schema.json). */
export function configJsonSchema(): JsonSchemaNode {
  const { $schema, ...schema } = keysSchema();
  return {
    $schema,
    title: "thawline configuration",
    ...schema,
    properties: {
      preset: {
        description: "Preset whose settings this file starts from.",
        type: "string",
        enum: listPresets().map((preset) => preset.name),
      },
      ...schema.properties,
    },
  };
}

/** Every dotted key of a configuration, parents included. */
export function configPaths(): readonly string[] {
  return pathsIn(keysSchema(), "");
}

function keysSchema(): JsonSchemaNode {
  return z.toJSONSchema(configInputSchema, {
    io: "input",
    // Nothing is required of a file: a preset, the environment or the command line may supply it.
    override: ({ jsonSchema }) => {
      if (jsonSchema.properties?.["kind"] === undefined) delete jsonSchema.required;
    },
  }) as JsonSchemaNode;
}

function pathsIn(schema: JsonSchemaNode, prefix: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [
    `${prefix}${key}`,
    ...pathsIn(child, `${prefix}${key}.`),
  ]);
  return [...new Set([...own, ...(schema.oneOf ?? []).flatMap((kind) => pathsIn(kind, prefix))])];
}
