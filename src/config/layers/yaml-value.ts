import { isAlias, isScalar, visit, type Document } from "yaml";

/** Characters of a configuration; the longest of ours has 3,000. */
export const MOST_CHARACTERS = 1_000_000;

/** A value in a YAML document that is no data, and where it stands. */
export class YamlFault extends Error {
  constructor(
    message: string,
    /** In characters. */
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * The value of a document that was parsed without errors. Aliases are followed as far as they stay small and end.
 *
 * @throws YamlFault for an alias to what it stands in, or to nothing; for aliases that multiply; for keys that are no names
 */
export function valueOf(document: Document): unknown {
  visit(document, {
    Alias: (_, alias, path) => {
      const offset = alias.range?.[0] ?? 0;
      const source = alias.resolve(document);
      if (source === undefined) throw new YamlFault(`\`*${alias.source}\` is an alias of nothing`, offset);
      if (path.includes(source)) throw new YamlFault(`\`*${alias.source}\` is an alias of what it stands in`, offset);
    },
    Pair: (_, { key }) => {
      if (!isScalar(key) && !isAlias(key) && key !== null) throw new YamlFault("a key is no name", offsetOf(key));
    },
  });
  try {
    return document.toJS();
  } catch (error) {
    // The library counts what aliases would come to.
    if (error instanceof ReferenceError) throw new YamlFault("its aliases multiply without bound", 0);
    throw error;
  }
}

function offsetOf(node: unknown): number {
  return (node as { readonly range?: readonly number[] | null }).range?.[0] ?? 0;
}
