import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import { UserError } from "../../errors.js";
import { isSettings, type Layer, type Path } from "./layers.js";
import { withAbsolutePaths } from "./relative-paths.js";
import { MOST_CHARACTERS, valueOf, YamlFault } from "./yaml-value.js";

/**
 * Reads a YAML file into a layer that knows the line and column of each of its keys. `shownAs` is the file's name in
 * messages, `folder` what its relative paths mean.
 *
 * @throws UserError when the file cannot be read, is not YAML or holds no mapping
 */
export function readYamlFile(path: string, shownAs: string, folder = dirname(path)): Layer {
  const { lines, document } = parsed(readText(path, shownAs));
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${shownAs}:${line}:${col}`;
  };
  const faults = [...document.errors, ...document.warnings].map((fault) => `${place(fault.pos[0])}: ${fault.message}`);
  if (faults.length > 0) {
    throw new UserError({
      code: "invalid_yaml",
      message: faults.length === 1 ? faults.join() : [`\`${shownAs}\` is not valid YAML`, ...faults].join("\n  "),
    });
  }
  const settings = settingsOf(document, place) ?? {};
  if (!isSettings(settings)) {
    throw new UserError({
      code: "invalid_config",
      message: `\`${shownAs}\` holds no mapping of keys to values`,
      hint: "a configuration begins like `train:` with `learning_rate: 0.01` indented under it",
    });
  }
  return {
    settings: withAbsolutePaths(settings, folder),
    locate: (keys) => {
      const offset = offsetOf(document, keys);
      return offset === null ? null : place(offset);
    },
  };
}

interface Parsed {
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
}

/** A sweep reads the same preset and file for each of its runs: the latest texts, parsed. Nobody changes a document. */
const known = new Map<string, Parsed>();
const MOST_KNOWN = 16;

function parsed(text: string): Parsed {
  const before = known.get(text);
  if (before !== undefined) return before;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (known.size === MOST_KNOWN) known.clear();
  known.set(text, { lines, document });
  return { lines, document };
}

/** @throws UserError with the place of what is no data */
function settingsOf(document: Document, place: (offset: number) => string): unknown {
  try {
    return valueOf(document);
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    throw new UserError({
      code: "invalid_yaml",
      message: `${place(error.offset)}: ${error.message}`,
      hint: "write the values out instead of `&` and `*`",
      cause: error,
    });
  }
}

function readText(path: string, shownAs: string): string {
  try {
    const text = readFileSync(path, "utf8");
    if (text.length <= MOST_CHARACTERS) return text;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error);
    throw new UserError({
      code: "config_not_readable",
      message: `cannot read \`${shownAs}\`: ${reason}`,
      hint: "give the path of a YAML file, or one of the names that `npx thawline presets` lists",
      cause: error,
    });
  }
  throw new UserError({
    code: "config_not_readable",
    message: `\`${shownAs}\` has more than ${MOST_CHARACTERS} characters`,
    hint: "give the path of a configuration",
  });
}

/** Where the key at `path` begins (the item itself in a list), null if the document does not have it. */
function offsetOf(document: Document, path: Path): number | null {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) return null;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number" && key < node.items.length) {
      node = node.items[key];
      offset = startOf(node);
    } else {
      return null;
    }
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return (node as Node).range?.[0] ?? null;
}
