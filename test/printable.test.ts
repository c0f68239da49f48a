import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { styleText } from "node:util";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { printable, printableRow, printableStyled, singleLine } from "../src/printable.js";
import { HOSTILE, obeyedIn } from "./support/hostile-text.js";

const SRC = resolve(import.meta.dirname, "../src");

describe("printable", () => {
  it.each([
    ["a newline and a tab stay", "a\n\tb", "a\n\tb"],
    ["line ends of Windows are newlines", "a\r\nb", "a\nb"],
    ["a carriage return", "a\rb", "a\\u000db"],
    ["an escape that was cut", "a\u001b[", "a\\u001b["],
    ["C1", "\u0085\u009b31m", "\\u0085\\u009b31m"],
    ["delete", "\u007f", "\\u007f"],
    ["directions", "\u202e\u2066\u200f", "\\u202e\\u2066\\u200f"],
    ["half a character", "\ud83d!", "\\ud83d!"],
    ["an invisible one beyond 16 bits", "\u{e0041}", "\\udb40\\udc41"],
    ["letters of all kinds, emoji and their joiners stay", "Zo\u00eb \u6f22 \u0645 \u{1f469}\u200d\u{1f4bb}", null],
  ])("%s", (_, text, shown) => {
    expect(printable(text)).toBe(shown ?? text);
  });

  it("gives JSON of the same value", () => {
    const text = printable(JSON.stringify({ [HOSTILE]: HOSTILE }));
    expect(obeyedIn(text)).toEqual([]);
    expect(JSON.parse(text)).toEqual({ [HOSTILE]: HOSTILE });
  });

  it("lets our styles through where they are asked for, and no other sequence", () => {
    const painted = `${styleText("red", "error:", { validateStream: false })} a`;
    expect(printableStyled(painted)).toBe(painted);
    expect(printable(painted)).toBe("\\u001b[31merror:\\u001b[39m a");
    expect(printableStyled("\u001b[8m\u001b[31;8m\u001b[2J\u001b]0;\u0007")).toBe(
      "\\u001b[8m\\u001b[31;8m\\u001b[2J\\u001b]0;\\u0007",
    );
  });

  it("makes one line, or a part of a row whose spaces stay", () => {
    expect(singleLine(" a \n\t b\u0007 ")).toBe("a b\\u0007");
    expect(printableRow("  a\nb\u0007  ")).toBe("  a b\\u0007  ");
  });
});

/** What writes to a terminal in a source file, with whether all of it went through `printable`. */
function writesIn(file: ts.SourceFile): { readonly text: string; readonly safe: boolean }[] {
  const writes: { text: string; safe: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const receiver = node.expression.getText();
      const isStream = /(?:^|\.)(?:stdout|stderr|stream)$/.test(receiver);
      const called = ts.isCallExpression(node.parent) && node.parent.expression === node ? node.parent : null;
      if (receiver === "console") writes.push({ text: node.parent.getText(), safe: false });
      // A `write` that is handed on is a sink as well.
      else if (isStream && (node.name.text === "write" || node.name.text === "end"))
        writes.push({
          text: node.parent.getText(),
          safe: called !== null && called.arguments.every(isSafe),
        });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return writes;
}

/** Made printable, or written down in the source. */
function isSafe(node: ts.Expression): boolean {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return true;
  if (ts.isIdentifier(node)) return /^[A-Z_]+$/.test(node.text);
  if (ts.isCallExpression(node)) return /^printable(?:Styled)?$/.test(node.expression.getText());
  return ts.isTemplateExpression(node) && node.templateSpans.every(({ expression }) => isSafe(expression));
}

describe("what src writes", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));

  it("to a terminal is made printable where it is written: by output.ts, or by what draws on a screen", () => {
    const others = files.filter(({ path }) => path !== "output.ts");
    const writes = others.flatMap(({ path, text }) => {
      return writesIn(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)).map((write) => ({
        path,
        ...write,
      }));
    });
    expect(writes.length).toBeGreaterThan(3);
    expect(writes.filter(({ safe }) => !safe)).toEqual([]);
    const outside = writes.map(({ path }) => path).filter((path) => !path.startsWith("ui"));
    expect(new Set(outside)).toEqual(new Set([join("verbs", "prefetch.ts")]));
  });

  it("on the view's screen is drawn by one component", () => {
    expect(files.filter(({ text }) => /<(?:Text|Transform|Static)\b/.test(text)).map(({ path }) => path)).toEqual([
      join("ui", "components", "line.tsx"),
    ]);
  });

  it("is found in all its forms", () => {
    const text = `
      console.log(a); process.stdout.write(a); stdout.write(printable(a)); stream.write("a"); process.stderr.write(CLEAR);
      this.stream.write(\`a\${b}\`); this.stream.write(\`\\r\${printable(b)}\`); f(process.stdout.write); stderr.end(a);`;
    const found = writesIn(ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true));
    expect(found.map(({ safe }) => safe)).toEqual([false, false, true, true, true, false, true, false, false]);
  });
});
