import { z } from "zod";
import { listPresets } from "./layers/presets.js";
import { configInputSchema } from "./schema.js";

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  /** The kinds of a mapping whose keys depend on its `kind`. */
  readonly oneOf?: readonly JsonSchemaNode[];
  readonly [keyword: string]: unknown;
}

/** JSON Schema of a configuration file, for completion and hover texts in editors (configs/schema.json). */
export function configJsonSchema(): JsonSchemaNode {
  const { $schema, ...schema } = keysSchema(configInputSchema);
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
  return pathsOf(configInputSchema);
}

/** Every dotted key of a form of configuration, parents included. */
export function pathsOf(form: z.ZodType): readonly string[] {
  return pathsIn(keysSchema(form), "");
}

function keysSchema(form: z.ZodType): JsonSchemaNode {
  return z.toJSONSchema(form, {
    io: "input",
    override: ({ jsonSchema }) => {
      // Nothing is required of a file: a preset, the environment or the command line may supply it.
      if (jsonSchema.properties?.["kind"] === undefined) delete jsonSchema.required;
      // zod keeps kinds that are words apart from those that are import paths; a reader has one list of kinds.
      const kinds = jsonSchema.anyOf?.flatMap((form) => form.oneOf ?? [form]);
      if (kinds?.every((form) => form.properties?.["kind"] !== undefined) !== true) return;
      delete jsonSchema.anyOf;
      jsonSchema.oneOf = kinds;
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
