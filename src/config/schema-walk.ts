import { z } from "zod";
import { keyFacts, type KeyFacts } from "./schema/fields.js";

/** The schema and everything that it wraps or chooses from: a default's inner type, the options of a union, both sides of a pipe. */
export function formsIn(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const forms = known.get(schema) ?? [schema, ...innerOf(schema).flatMap(formsIn)];
  known.set(schema, forms);
  return forms;
}

/** Asked of every key of every layer of every configuration. */
const known = new WeakMap<z.core.$ZodType, readonly z.core.$ZodType[]>();

function innerOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return [schema.def.innerType];
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) return [schema.def.innerType];
  if (schema instanceof z.ZodUnion) return schema.def.options;
  if (schema instanceof z.ZodPipe) return [schema.def.in, schema.def.out];
  return [];
}

/** What the value under `key` may be: of a mapping in each of its forms, or of a list, where keys are positions. */
export function under(schemas: readonly z.core.$ZodType[], key: string | number): z.core.$ZodType[] {
  return schemas.flatMap(formsIn).flatMap((schema): z.core.$ZodType[] => {
    if (schema instanceof z.ZodArray && typeof key === "number") return [schema.def.element];
    if (!(schema instanceof z.ZodObject) || typeof key !== "string") return [];
    return Object.hasOwn(schema.shape, key) ? [schema.shape[key] as z.core.$ZodType] : [];
  });
}

/** What `schema` says of the key at `path` besides its type; null where it says nothing of that. */
export function keyFactAt<F extends keyof KeyFacts>(
  schema: z.core.$ZodType,
  path: readonly (string | number)[],
  fact: F,
): NonNullable<KeyFacts[F]> | null {
  const forms = path.reduce<readonly z.core.$ZodType[]>(under, [schema]).flatMap(formsIn);
  return forms.map((form) => keyFacts.get(form)?.[fact]).find((value) => value !== undefined) ?? null;
}
