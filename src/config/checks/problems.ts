import type { z } from "zod";
import { UserError } from "../../errors.js";
import { isSettings, valueAt, type Layer, type Path, type Settings } from "../layers/layers.js";
import { nearest } from "./suggestions.js";

type Issue = z.core.$ZodIssue;

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The keys it is about; the place shown is where the strongest layer wrote one of them. */
  readonly paths: readonly Path[];
  readonly text: string;
  readonly hint?: string;
}

const TYPES: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "`true` or `false`",
  array: "a list",
  object: "a mapping",
};

/**
 * Says what zod found in the words of a person who writes YAML.
 *
 * @param knownPaths every dotted key of the configuration, for proposals
 */
export function describeIssues(issues: readonly Issue[], settings: Settings, knownPaths: readonly string[]): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownKey([...pathOf(issue), key], knownPaths));
    }
    const inner = innerIssues(issue);
    if (inner !== null) return describeIssues(inner, settings, knownPaths);
    return [wrongValue(issue, settings)];
  });
}

function unknownKey(path: Path, knownPaths: readonly string[]): Problem {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1).join(".");
  const siblings = knownPaths.filter((known) => parentOf(known) === parent).map(lastKey);
  const sibling = nearest(key, siblings);
  const guess = sibling === null ? knownPaths.find((known) => lastKey(known) === key) : joined(parent, sibling);
  const text = `unknown key \`${path.join(".")}\``;
  if (guess === path.join(".")) return { paths: [path], text: `${text} for this \`${joined(parent, "kind")}\`` };
  return guess === undefined ? { paths: [path], text } : { paths: [path], text, hint: `did you mean \`${guess}\`?` };
}

function wrongValue(issue: Issue, settings: Settings): Problem {
  const path = pathOf(issue);
  const value = valueAt(settings, path);
  if (value === undefined) return { paths: [path], text: `\`${path.join(".")}\` is missing: ${expectation(issue)}` };
  const text = `\`${path.join(".")}\`: ${expectation(issue)}, got ${shown(value)}`;
  const guess = typeof value === "string" ? nearest(value, wordsOf(issue)) : null;
  return guess === null ? { paths: [path], text } : { paths: [path], text, hint: `did you mean \`${guess}\`?` };
}

/** Where one form of a union fits and something inside it is wrong, that is the problem, not the union. */
function innerIssues(issue: Issue): Issue[] | null {
  if (issue.code !== "invalid_union" || issue.inclusive === false) return null;
  const fitting = issue.errors.filter((form) =>
    form.every((inner) => inner.path.length > 0 || inner.code === "unrecognized_keys"),
  );
  const [only] = fitting;
  const chosen = fitting.find((form) => !form.some(isAboutKind)) ?? (fitting.length === 1 ? only : undefined);
  if (chosen !== undefined) return chosen.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  if (only === undefined) return null;
  // No form knows the kind: the problem is that key, and each form says which kinds it would have taken.
  const wanted = fitting.map((form) => form.filter(isAboutKind).map((inner) => ({ ...inner, path: [] })));
  const key = only.find(isAboutKind)?.path[0] ?? "kind";
  return [{ ...issue, path: [...issue.path, key], errors: wanted }];
}

/** About the key that says which form of a union is meant. */
function isAboutKind({ path }: Issue): boolean {
  return path.length === 1 && (path[0] === "kind" || path[0] === "method");
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${alternatives(issue.values)}`;
    case "invalid_union":
      return "options" in issue ? `expected ${alternatives(issue.options)}` : issue.message;
    case "too_small":
      if (issue.origin === "string") return "expected a text that is not empty";
      if (issue.origin === "array") return `expected a list of length ${issue.minimum} or more`;
      return `expected a number ${issue.inclusive === true ? "of at least" : "above"} ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "array") return `expected a list of length ${issue.maximum} or less`;
      return `expected a number ${issue.inclusive === true ? "of at most" : "below"} ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** The words that would have been accepted in the place of the issue. */
function wordsOf(issue: Issue): string[] {
  const isWord = (value: unknown): value is string => typeof value === "string";
  if (issue.code === "invalid_value") return issue.values.filter(isWord);
  if (issue.code !== "invalid_union") return [];
  if ("options" in issue) return issue.options.filter(isWord);
  return issue.errors.flat().flatMap(wordsOf);
}

function alternatives(values: readonly unknown[]): string {
  const quoted = values.map((value) => `\`${String(value)}\``);
  return quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isSettings(value) ? "a mapping" : `\`${String(value)}\``;
}

function pathOf(issue: Issue): (string | number)[] {
  return issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
}

const parentOf = (path: string) => path.slice(0, Math.max(path.lastIndexOf("."), 0));
const lastKey = (path: string) => path.slice(path.lastIndexOf(".") + 1);
const joined = (parent: string, key: string) => (parent === "" ? key : `${parent}.${key}`);

const GENERAL_HINT = "`npx thawline config show quickstart` prints every key with its value";

/** All problems of a configuration as the one error that is shown; `source` is named where a problem has no place. */
export function configError(problems: readonly Problem[], layers: readonly Layer[], source: string): UserError {
  const located = problems.map((problem) => ({
    ...problem,
    text: `${placeOf(problem, layers) ?? `\`${source}\``}: ${problem.text}`,
  }));
  const [only] = located;
  if (located.length === 1 && only !== undefined) {
    return new UserError({ code: "invalid_config", message: only.text, hint: only.hint ?? GENERAL_HINT });
  }
  const lines = located.map(({ text, hint }) => (hint === undefined ? text : `${text}; ${hint}`));
  // As numbers in `file:line:column` are compared as numbers, this is the order of the file.
  lines.sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
  const message = [`\`${source}\` has ${lines.length} problems`, ...lines].join("\n  ");
  return new UserError({ code: "invalid_config", message, hint: GENERAL_HINT });
}

function placeOf({ paths }: Problem, layers: readonly Layer[]): string | null {
  for (const layer of [...layers].reverse()) {
    for (const path of paths) {
      const place = layer.locate(path);
      if (place !== null) return place;
    }
  }
  return null;
}
