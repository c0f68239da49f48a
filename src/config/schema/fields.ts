import { z } from "zod";

/** The kinds of value that several sections share. */

export const atLeast = (minimum: number) => z.int().min(minimum);

/** A number of things to use, where null means all. */
export const limit = (meaning: string) => atLeast(1).nullable().default(null).describe(meaning);

/** A word or a whole number; the message is spelled out because zod names neither branch of a union. */
export const wordOrInteger = <const W extends string>(words: readonly [W, ...W[]]) =>
  z.union([z.enum(words), atLeast(1)], {
    error: `expected ${words.map((word) => `\`${word}\``).join(", ")} or a whole number of at least 1`,
  });
