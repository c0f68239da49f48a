import { z } from "zod";

/** What the schema says of a key besides its type, for those who walk it. */
export interface KeyFacts {
  /** Whether a value names a file or folder, so that a relative one means the folder of the layer that wrote it. */
  readonly isPath?: (value: string) => boolean;
  /** Why a training script of the user's own cannot be told it, and what in the script takes its place. */
  readonly instead?: string;
  /** A mapping whose keys depend on one of them: another kind replaces the mapping instead of joining it. */
  readonly replacedWith?: string;
}

export const keyFacts = z.registry<KeyFacts>();

/** The kinds of value that several sections share. */

export const atLeast = (minimum: number) => z.int().min(minimum);

/** A number of things to use, where null means all. */
export const limit = (meaning: string) => atLeast(1).nullable().default(null).describe(meaning);

/** A commit on the Hub: branches and tags can move, and a run has to say what it was made from. */
export const commit = z.string().regex(/^[0-9a-f]{40}$/, { error: "expected the 40 hex digits of a commit" });

/** A word or a whole number; the message is spelled out because zod names neither branch of a union. */
export const wordOrInteger = <const W extends string>(words: readonly [W, ...W[]]) =>
  z.union([z.enum(words), atLeast(1)], {
    error: `expected ${words.map((word) => `\`${word}\``).join(", ")} or a whole number of at least 1`,
  });

/** The name of a file or folder, relative to the layer that wrote it unless `isPath` says that it is none. */
export const path = (meaning: string | null = null, isPath: (value: string) => boolean = () => true) => {
  const text = z.string().min(1);
  // Last: whoever describes a schema gets another one, of which the registry knows nothing.
  return (meaning === null ? text : text.describe(meaning)).register(keyFacts, { isPath });
};

/** The same fields where every key may be left out and none is filled in: as a run uses those that have an effect. */
export function leftOutOrGiven<S extends z.ZodRawShape>(shape: S): { [K in keyof S]: z.ZodOptional<Bare<S[K]>> } {
  const bare = (field: z.core.$ZodType) => (field instanceof z.ZodDefault ? field.unwrap() : field) as z.ZodType;
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, bare(field).optional()])) as never;
}

type Bare<F extends z.core.$ZodType> = F extends z.ZodDefault<infer I> ? I : F;
