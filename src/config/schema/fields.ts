import { z } from "zod";

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
