import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import importTable from "./import-table.json" with { type: "json" };

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

interface Rule {
  readonly folders: readonly string[];
  readonly types: readonly string[];
  readonly packages: readonly string[];
  readonly node: boolean;
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const { folders, open, top } = importTable.typescript;
/** What anything may import. */
/** Open to those who may use node. */
const NODE_LEAVES = new Set(["process-identity", "failpoint", "output", "spool", "temporary-folder", "whole-file"]);
const OPEN: ReadonlySet<string> = new Set(
  Object.entries(open).flatMap(([name, to]) => (to === "to all" ? [name] : [])),
);
const rules: Readonly<Record<string, Rule>> = folders;
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => {
    const text = readFileSync(join(SRC, path), "utf8");
    return { path, folder: folderOf(path), file: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
  });

/** `core` for `core/intervention/schedule.ts`; of a file right under src its own name, such as `cli`. */
function folderOf(path: string): string {
  return path.split("/")[0]!.replace(/\.[jt]sx?$/, "");
}

/** Every import, re-export and dynamic import of a file. */
function importsOf(file: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, typeOnly: importsOnlyTypes(node.importClause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier && ts.isStringLiteral(specifier)) imports.push({ specifier: specifier.text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return imports;
}

function importsOnlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  const hasOnlyNames = clause.name === undefined && names !== undefined && ts.isNamedImports(names);
  return hasOnlyNames && names.elements.every((element) => element.isTypeOnly);
}

/** Whether the rule of `folder` lets the file at `path` import this. */
function isAllowed(folder: string, path: string, { specifier, typeOnly }: Import, rule: Rule): boolean {
  if (specifier.startsWith("node:")) return rule.node;
  if (!specifier.startsWith(".")) {
    return rule.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  }
  const other = folderOf(relative(SRC, resolve(SRC, path, "..", specifier)));
  if (other === folder || OPEN.has(other) || rule.folders.includes(other)) return true;
  // Leaves above node itself: journal and launch both tell processes apart and write files, and may die while they do.
  if (NODE_LEAVES.has(other)) return rule.node;
  return typeOnly && (other === "config" || rule.types.includes(other));
}

describe("imports", () => {
  it("have a rule for every folder and file of src", () => {
    const known = new Set([...Object.keys(rules), ...Object.keys(open), ...top]);
    expect(new Set(sources.map(({ folder }) => folder))).toEqual(known);
  });

  it.each(Object.entries(rules))("of %s follow the import table", (folder, rule) => {
    const forbidden = sources
      .filter((source) => source.folder === folder)
      .flatMap(({ path, file }) =>
        importsOf(file)
          .filter((imported) => !isAllowed(folder, path, imported, rule))
          .map(({ specifier }) => `${path} imports ${specifier}`),
      );
    expect(forbidden).toEqual([]);
  });

  it("are understood in all their forms", () => {
    const text = `
      import type { A } from "a"; import { type B } from "b"; import { type C, d } from "c"; import e from "e";
      import * as f from "f"; import "g"; export { h } from "h"; export type * from "i"; void import("j");`;
    const file = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
    const described = importsOf(file).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? " type" : ""}`);
    expect(described).toEqual(["a type", "b type", "c", "e", "f", "g", "h", "i type", "j"]);
  });
});

it("keeps files short enough to read", () => {
  const long = sources.filter(({ file }) => file.getLineStarts().length > 300);
  expect(long.map(({ path }) => path)).toEqual([]);
});
