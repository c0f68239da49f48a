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

const rules: Readonly<Record<string, Rule>> = importTable.folders;
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => {
    const text = readFileSync(join(SRC, path), "utf8");
    return { path, folder: folderOf(path), file: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
  });

/** `core` for `core/policies/none.ts`; empty for files right under src. */
function folderOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : "";
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
  const target = relative(SRC, resolve(SRC, path, "..", specifier));
  if (target === "errors.js") return true;
  // A leaf above node itself: journal and launch both tell processes apart.
  if (target === "process-identity.js") return rule.node;
  const other = folderOf(target);
  if (other === folder || rule.folders.includes(other)) return true;
  return typeOnly && (other === "config" || rule.types.includes(other));
}

describe("imports", () => {
  it("has a rule for every folder of src that others build on", () => {
    const folders = new Set(sources.map(({ folder }) => folder).filter((folder) => !["", "commands"].includes(folder)));
    expect(Object.keys(rules)).toEqual(expect.arrayContaining([...folders]));
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

  it("never go to the commands or to cli.ts from below", () => {
    const upward = sources
      .filter(({ folder, path }) => folder !== "commands" && path !== "cli.ts")
      .filter(({ file }) => importsOf(file).some(({ specifier }) => /\/(commands\/|cli\.js)/.test(specifier)));
    expect(upward.map(({ path }) => path)).toEqual([]);
  });
});

/** Paths of the sources that use `object.property` of a global, such as `process.exit`. */
function usersOf(pattern: RegExp, within: (path: string) => boolean = () => true): string[] {
  const uses = (node: ts.Node): boolean =>
    ((ts.isPropertyAccessExpression(node) || ts.isIdentifier(node)) && pattern.test(node.getText())) ||
    ts.forEachChild(node, (child) => uses(child) || undefined) === true;
  return sources.filter(({ path, file }) => within(path) && uses(file)).map(({ path }) => path);
}

it("ends the process in cli.ts only", () => {
  expect(usersOf(/^process\.exit$/)).toEqual(["cli.ts"]);
});

it("keeps clocks, randomness and the process out of core", () => {
  const impure = /^(Date|performance|process|setTimeout|setInterval|Math\.random)$/;
  expect(usersOf(impure, (path) => path.startsWith("core/"))).toEqual([]);
  expect(usersOf(impure)).not.toEqual([]);
});

it("keeps files short enough to read", () => {
  const long = sources.filter(({ file }) => file.getLineStarts().length > 300);
  expect(long.map(({ path }) => path)).toEqual([]);
});
