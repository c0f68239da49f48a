import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import mutations from "./faults/mutations.json" with { type: "json" };

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Row {
  readonly guard: string;
  readonly file: string;
  readonly prevents: string;
  readonly test: string;
  readonly title: string;
}

/** The rows of the tables in test/faults/README.md. */
const rows: Row[] = [...read("test/faults/README.md").matchAll(/^\| (.*) \|$/gm)]
  .map((match) => match[1]!.split("|").map((cell) => cell.trim()))
  .filter(([guard]) => guard !== "guard" && !/^-+$/.test(guard!))
  .map(([guard, file, prevents, shown]) => {
    const [, path, title] = /^`([^`]+)`: (.*)$/.exec(shown!)!;
    return { guard: guard!, file: file!.replaceAll("`", ""), prevents: prevents!, test: path!, title: title! };
  });

test("the list in words and the changes that take the guards away are the same", () => {
  const listed = mutations.map(({ guard, file, prevents, test: path, title }) => ({
    ...{ guard, file, prevents, test: path, title },
  }));
  expect(rows).toEqual(listed);
});

describe.each(mutations)("$file: $guard", ({ file, from, to, test: path, title }) => {
  test("the guard is there, once", () => {
    expect(read(file).split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });

  test("the test that shows it is there", () => {
    expect(existsSync(join(ROOT, path))).toBe(true);
    const declared = path.endsWith(".py") ? `def ${title}(` : `"${title}"`;
    expect(read(path)).toContain(declared);
  });
});
