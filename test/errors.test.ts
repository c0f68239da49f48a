import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { BugError, exitCodeOf, ExternalError, formatError, ReplayDivergence, UserError } from "../src/errors.js";

const user = new UserError({ code: "no_python", message: "`python3` cannot be run", hint: "install Python 3.11" });
const plain = { color: false };

describe("formatError", () => {
  it("says what is wrong and what to do", () => {
    expect(formatError(user, plain)).toMatchInlineSnapshot(`
      "error: \`python3\` cannot be run

      hint: install Python 3.11"
    `);
  });

  it("leaves the hint out where there is none", () => {
    expect(formatError(new UserError({ code: "x", message: "no" }), plain)).toBe("error: no");
  });

  it("shows the tail of a failed tool's output", () => {
    const output = "Traceback:\n  RuntimeError: out of memory\n";
    const error = new ExternalError({ code: "worker_died", message: "the worker was killed", output, hint: "resume" });
    expect(formatError(error, plain)).toMatchInlineSnapshot(`
      "error: the worker was killed

          Traceback:
            RuntimeError: out of memory

      hint: resume"
    `);
  });

  it("shows the stack of a bug, and of anything unexpected", () => {
    const text = formatError(new BugError("the mask is empty"), plain);
    expect(text).toMatch(/^error: the mask is empty\n\n {4}at .*errors\.test\.ts/);
    expect(text).toMatch(/\n\nhint: this is a bug in thawline; please report it with the lines above$/);
    expect(formatError(new TypeError("x is not a function"), plain)).toMatch(/^error: x is not a function\n\n {4}at /);
    expect(formatError("thrown text", plain)).toMatch(/^error: thrown text\n\nhint: /);
  });

  it("adds colour only to the labels", () => {
    const escape = "\u001b";
    const colored = formatError(user, { color: true });
    expect(colored).toContain(`${escape}[31merror:${escape}[39m `);
    expect(stripVTControlCharacters(colored)).toBe(formatError(user, plain));
  });
});

it("gives every family its exit code", () => {
  expect(exitCodeOf(user)).toBe(2);
  expect(exitCodeOf(new ExternalError({ code: "worker_died", message: "killed" }))).toBe(1);
  expect(exitCodeOf(new BugError("never"))).toBe(1);
  expect(exitCodeOf(new ReplayDivergence({ message: "record 7 differs" }))).toBe(3);
  expect(exitCodeOf(undefined)).toBe(1);
});

it("keeps the cause of an error", () => {
  const cause = new Error("ENOENT");
  expect(new UserError({ code: "x", message: "no", cause }).cause).toBe(cause);
  expect(user.name).toBe("UserError");
});
