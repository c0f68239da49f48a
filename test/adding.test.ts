import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DATA_KINDS } from "../src/config/data-sets.js";
import { INTERVENTION_KINDS } from "../src/config/schema/intervention.js";
import { METRICS } from "../src/metrics.js";

/** What CONTRIBUTING says one touches to add something, against the files that name what is there already. */

const ROOT = resolve(import.meta.dirname, "..");
const SOURCES = ["src", "python/thawline"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:tsx?|py)$/.test(path))
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(ROOT, folder, path), "utf8") })),
);
/** The paper's own tables and figures name what the paper has, and nobody adds to that. */
const OF_THE_PAPER = "src/report/paper/";
const CONTRIBUTING = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");

interface Addition {
  readonly heading: string;
  /** Rows of which no file may know but the listed ones: what the rest of the code treats like any other. */
  readonly ordinary: readonly string[];
  /** Rows by which each of the listed files is known to be needed. */
  readonly all: readonly string[];
}

const ADDITIONS: readonly Addition[] = [
  {
    heading: "A metric",
    // `fisher_trace` is the default, and the closed form and the checks of errors are its own.
    ordinary: [...METRICS.filter((metric) => metric !== "fisher_trace"), "worst_value"],
    all: [...METRICS, "worst_value"],
  },
  // MNIST comes with thawline, and an image folder may hold anything.
  {
    heading: "A data set of images",
    ordinary: DATA_KINDS.filter((kind) => kind !== "mnist" && kind !== "image_folder"),
    all: DATA_KINDS,
  },
  { heading: "A model family", ordinary: ["vgg11", "VGG11Config"], all: ["resnet18", "vgg11", "VGG11Config"] },
  // What freezes nothing, and what is the default, are known elsewhere, too.
  {
    heading: "An intervention",
    ordinary: INTERVENTION_KINDS.filter((kind) => kind !== "none" && kind !== "gradual_unfreezing"),
    all: INTERVENTION_KINDS,
  },
];

function listedUnder(heading: string): string[] {
  const section = CONTRIBUTING.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/`((?:src|python)\/[\w./-]+)`/g)].map((match) => match[1]!);
}

/** As a value or as a key, not in prose. */
function names(text: string, row: string): boolean {
  return new RegExp(`"${row}"|^\\s*${row}\\??:|\\b${row}(?=[:(])`, "m").test(text);
}

describe.each(ADDITIONS)("adding $heading", ({ heading, ordinary, all }) => {
  const listed = listedUnder(heading);

  it.each(ordinary)("touches the listed files only: %s", (row) => {
    const naming = SOURCES.filter(({ text }) => names(text, row))
      .map(({ path }) => path)
      .filter((path) => !path.startsWith(OF_THE_PAPER));
    const isListed = (path: string): boolean =>
      listed.some((entry) => path === entry || (entry.endsWith("/") && path.startsWith(entry)));
    expect(naming.length).toBeGreaterThan(1);
    expect(naming.filter((path) => !isListed(path))).toEqual([]);
  });

  it("touches each of them", () => {
    expect(listed.length).toBeGreaterThan(2);
    const files = listed.filter((path) => !path.endsWith("/"));
    const needless = files.filter((path) => {
      const source = SOURCES.find((candidate) => candidate.path === path);
      return source === undefined || !all.some((row) => names(source.text, row));
    });
    expect(needless).toEqual([]);
    expect(listed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
