import { styleText } from "node:util";
import { printable } from "./printable.js";

/**
 * The families of errors that reach a person, the exit code of each, and the one place where their text is composed.
 * Grammar: `error: <one sentence without a full stop>`, an empty line, `hint: <what to do>`; backticks round commands,
 * paths and keys.
 */

export interface ErrorFacts {
  /** Stable snake_case identifier that scripts and tests may match on. */
  readonly code: string;
  /** One sentence that names the place. */
  readonly message: string;
  /** What to do next; left out where nothing is known to help. */
  readonly hint?: string;
  readonly cause?: unknown;
}

abstract class ThawlineError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor({ code, message, hint, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint ?? "";
  }
}

/** Something the user must change: a bad option, missing data, no usable Python. Never shown with a stack. */
export class UserError extends ThawlineError {}

/** A worker or another tool failed: carries the tail of what it printed, because that is what its reader needs. */
export class ExternalError extends ThawlineError {
  readonly output: string;

  constructor(facts: ErrorFacts & { readonly output?: string }) {
    super(facts);
    this.output = facts.output ?? "";
  }
}

/** A promise was broken: reducing a journal again did not give the commands that it holds. */
export class ReplayDivergence extends ThawlineError {
  constructor(facts: Omit<ErrorFacts, "code">) {
    super({ code: "replay_divergence", ...facts });
  }
}

/** An invariant of ours does not hold. Shown with its stack; every error outside these families is treated like it. */
export class BugError extends Error {
  override readonly name = "BugError";
}

/** Design contract: 0 done, 1 the run failed, 2 the user must change something, 3 a promise was broken. */
export function exitCodeOf(error: unknown): 1 | 2 | 3 {
  if (error instanceof UserError) return 2;
  if (error instanceof ReplayDivergence) return 3;
  return 1;
}

/** The text shown for `error`, without a trailing newline. Its meaning never depends on colour. */
export function formatError(error: unknown, { color }: { readonly color: boolean }): string {
  const paint = (style: "red" | "cyan", text: string): string => {
    // Whether there is colour was decided by the caller, who knows the stream.
    return color ? styleText(style, text, { validateStream: false }) : text;
  };
  const parts: string[] = [];
  if (error instanceof ThawlineError) {
    parts.push(`${paint("red", "error:")} ${printable(error.message)}`);
    if (error instanceof ExternalError && error.output !== "") parts.push(indented(printable(error.output)));
    if (error.hint !== "") parts.push(`${paint("cyan", "hint:")} ${printable(error.hint)}`);
  } else {
    parts.push(`${paint("red", "error:")} ${printable(error instanceof Error ? error.message : String(error))}`);
    const frames = error instanceof Error ? stackFrames(error) : "";
    if (frames !== "") parts.push(printable(frames));
    parts.push(`${paint("cyan", "hint:")} this is a bug in thawline; please report it with the lines above`);
  }
  return parts.join("\n\n");
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, "    ");
}

/** The frames of the stack only: its first lines repeat the message. */
function stackFrames(error: Error): string {
  const lines = (error.stack ?? "").split("\n");
  return lines.filter((line) => /^\s+at /.test(line)).join("\n");
}
