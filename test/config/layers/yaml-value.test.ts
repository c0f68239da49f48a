import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { loadConfig } from "../../../src/config/layers/load.js";
import { valueOf } from "../../../src/config/layers/yaml-value.js";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "thawline-yaml-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const BOMB = `a0: &a0 [x, x, x, x, x, x, x, x, x]\n${Array.from(
  { length: 12 },
  (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(", ")}]\n`,
).join("")}`;

const BAD: Readonly<Record<string, readonly [text: string, message: string]>> = {
  "an alias bomb": [BOMB, "multiply"],
  "a bomb of mappings": [BOMB.replaceAll("[", "{k: [").replaceAll("]", "]}"), "multiply"],
  "an alias of its own list": ["data: &a [1, *a]\n", "`*a` is an alias of what it stands in"],
  "an alias of its own mapping": ["data: &a {path: {x: *a}}\n", "`*a` is an alias of what it stands in"],
  "the whole document in itself": ["&a\ndata: *a\n", "`*a` is an alias of what it stands in"],
  "an alias of nothing": ["data: *none\n", "`*none` is an alias of nothing"],
  "an alias before its anchor": ["data: *late\ntrain: &late {}\n", "`*late` is an alias of nothing"],
  "a list as a key": ["? [a, b]\n: 1\n", "a key is no name"],
  "a mapping as a key": ["? {a: b}\n: 1\n", "a key is no name"],
};

describe("a configuration file with", () => {
  it.each(Object.entries(BAD))("%s gets one sentence", (_, [text, message]) => {
    writeFileSync(join(cwd, "x.yaml"), text);
    const load = (): unknown => loadConfig({ source: "./x.yaml", cwd });
    expect(load).toThrow(expect.objectContaining({ code: "invalid_yaml" }));
    expect(load).toThrow(/^\.\/x\.yaml:\d+:\d+: /);
    expect(load).toThrow(message);
  });

  it("a million characters is no configuration", () => {
    writeFileSync(join(cwd, "x.yaml"), `# ${"x".repeat(1_000_000)}\n`);
    expect(() => loadConfig({ source: "./x.yaml", cwd })).toThrow("has more than 1000000 characters");
  });
});

it.each(["*x", "[*x]", "&a [*a]", "{a: &a {b: *a}}", "? [a]\n: 1"])("a setting `%s` gets one sentence", (value) => {
  const load = (): unknown => loadConfig({ source: "quickstart", overrides: [`train.updates=${value}`], cwd });
  expect(load).toThrow(expect.objectContaining({ code: "invalid_override" }));
});

it("aliases that end are followed", () => {
  expect(valueOf(parseDocument("a: &a [1, 2]\nb: *a\nc: &c {d: *a}\ne: [*c, *c]\n&k key: 1\nother: *k\n"))).toEqual({
    a: [1, 2],
    b: [1, 2],
    c: { d: [1, 2] },
    e: [{ d: [1, 2] }, { d: [1, 2] }],
    key: 1,
    other: "key",
  });
});
