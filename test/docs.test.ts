import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { configPaths } from "../src/config/json-schema.js";
import { MESSAGES } from "../src/protocol/messages.js";
import { KEYMAP } from "../src/ui/model/keymap.js";
import { keyName, SWEEP_KEYMAP } from "../src/ui/model/sweep-keymap.js";

const ROOT = resolve(import.meta.dirname, "..");

const PATH = /^(?:\.ci|configs|docs|examples|python|scripts|src|test)\/[\w./-]*$/;

interface Document {
  readonly path: string;
  readonly text: string;
  /** Inline code and the lines of code blocks. */
  readonly code: readonly string[];
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map(({ name }) => join(folder, name));
}

const documents: readonly Document[] = ["", "docs", "docs/decisions"].flatMap(markdownIn).map((path) => {
  const text = readFileSync(join(ROOT, path), "utf8");
  return { path, text, code: codeIn(text) };
});

function codeIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```.*\n([^]*?)^```/gm)].flatMap((match) => match[1]!.split("\n"));
  const indented = [...text.matchAll(/^ {4}(npx .*)$/gm)].map((match) => match[1]!);
  return [...blocks, ...indented, ...[...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map((match) => match[1]!)];
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, "");
}

/** The anchor that a heading gets. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function anchorsOf(path: string): string[] {
  const text = withoutBlocks(readFileSync(join(ROOT, path), "utf8"));
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!));
}

/** Dotted keys of the configuration: of sections, and of the settings in them. */
function configKeys(): { sections: string[]; settings: string[] } {
  const paths = configPaths();
  const sections = paths.filter((path) => paths.some((other) => other.startsWith(`${path}.`)));
  const settings = paths.filter((path) => path.split(".").length <= 2 && !sections.includes(path));
  return { sections, settings };
}

/** What `thawline ... --help` prints. */
async function help(...args: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [join(ROOT, "dist/cli.js"), ...args, "--help"]);
  return stdout;
}

describe.each(documents)("$path", ({ path, text, code }) => {
  it("links to files and headings that exist", () => {
    const targets = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const broken = targets.filter((target) => {
      if (/^(?:https?:|mailto:)/.test(target)) return false;
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(ROOT, linked))) return true;
      return anchor !== undefined && !anchorsOf(linked).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("names paths that exist, and functions that are in them", () => {
    const wrong = code.filter((token) => {
      const [file = "", name] = token.split(":");
      if (!PATH.test(file)) return false;
      if (!existsSync(join(ROOT, file))) return true;
      return name !== undefined && !new RegExp(`\\b${name}\\b`).test(readFileSync(join(ROOT, file), "utf8"));
    });
    expect(wrong).toEqual([]);
  });

  it("names keys of the configuration that exist", () => {
    const { sections, settings } = configKeys();
    const named = code
      .flatMap((line) => line.split(/\s+/))
      .map((word) => word.split("=")[0]!)
      .filter((word) => sections.includes(word.split(".")[0]!) && /^[a-z]+\.[a-z_.]+$/.test(word))
      .filter((word) => !/\.(?:yaml|json|py|ts|md|log|safetensors)$/.test(word));
    const unknown = named.filter((word) => !settings.some((key) => word === key || word.startsWith(`${key}.`)));
    expect(unknown).toEqual([]);
  });
});

describe("commands in the documents", () => {
  const lines = documents.flatMap(({ code }) => code);

  it("are registered", async () => {
    const registered = [...(await help()).matchAll(/^ {2}([a-z]+)\b/gm)].map((match) => match[1]!);
    const named = lines.flatMap((line) => [...line.matchAll(/\bthawline ([a-z][a-z-]*)/g)].map((match) => match[1]!));
    expect(named.filter((verb) => !registered.includes(verb))).toEqual([]);
    expect(registered.filter((verb) => !named.includes(verb))).toEqual([]);
  });

  it("of `npx thawline control` are known, and all are explained", async () => {
    const known = /^ *request +(.*)$/m.exec(await help("control"))![1]!.split(", ");
    const named = lines.flatMap((line) => /thawline control \S+ ([a-z-]+)/.exec(line)?.[1] ?? []);
    expect(named.filter((verb) => !known.includes(verb))).toEqual([]);
    const explained = documents.find(({ path }) => path === "docs/operating.md")!.code;
    expect(known.filter((verb) => !explained.some((line) => line.includes(`control RUN_DIR ${verb}`)))).toEqual([]);
  });

  it("of npm exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
    const named = lines.flatMap((line) => /^npm run ([\w:]+)/.exec(line)?.[1] ?? []);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe("what is generated or mirrored", () => {
  const read = (path: string): string => documents.find((document) => document.path === path)!.text;

  it("docs/configuration.md lists the keys of the schema", async () => {
    await execa(process.execPath, [join(ROOT, "scripts/configuration-doc.mjs"), "--check"]);
    const missing = configKeys().settings.filter((key) => !read("docs/configuration.md").includes(`- \`${key}\` (`));
    expect(missing).toEqual([]);
  });

  it("docs/results.md and docs/performance.md have the tables of docs/results/ and docs/benchmarks/", async () => {
    await execa(process.execPath, [join(ROOT, "scripts/results/tables.mjs"), "--check"]);
  });

  it("docs/operating.md lists the keys of the live view", () => {
    const rows = KEYMAP.map(({ keys, help: text }) => `| ${keys.map((key) => `\`${key}\``).join(", ")} | ${text}`);
    expect(rows.filter((row) => !read("docs/operating.md").includes(row))).toEqual([]);
  });

  it("docs/operating.md lists the keys of a sweep's view", () => {
    const rows = SWEEP_KEYMAP.map(({ keys, help: text }) => {
      return `| ${keys.map((key) => `\`${keyName(key)}\``).join(", ")} | ${text}`;
    });
    expect(rows.filter((row) => !read("docs/operating.md").includes(row))).toEqual([]);
  });

  it.each(Object.entries(MESSAGES))("docs/protocol.md explains `%s` and every field of it", (kind, { body }) => {
    const sections = read("docs/protocol.md").split(/^### /m);
    const section = sections.find((candidate) => candidate.startsWith(`\`${kind}\``)) ?? "";
    const shapes = "options" in body ? body.options.map((option) => option.shape) : [body.shape];
    const fields = shapes.flatMap((shape) => Object.keys(shape));
    expect(section).not.toBe("");
    expect(fields.filter((field) => !section.includes(`\`${field}\``))).toEqual([]);
  });
});
