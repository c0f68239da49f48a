// Writes the list of keys in docs/configuration.md, from the schema that checks configurations.
//
//   node scripts/configuration-doc.mjs [--check]
//
// Needs dist/ (`npm run build`). With --check nothing is written; exits 1 when the list is not what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema } from "../dist/config/json-schema.js";
import { configInputSchema } from "../dist/config/schema.js";
import { ROOT } from "./python.mjs";

const DOCUMENT = join(ROOT, "docs", "configuration.md");
const BEGIN = "<!-- keys: written by scripts/configuration-doc.mjs -->";
const END = "<!-- end of keys -->";
const LINE_WIDTH = 120;

/** The least that a configuration has to say: what is filled in beside it are the defaults. */
const LEAST = {
  name: "run",
  model: { kind: "resnet18" },
  data: { kind: "mnist" },
  train: { learning_rate: 1, batch_size: 1 },
};
const defaults = configInputSchema.parse(LEAST);
const required = new Set(
  configInputSchema
    .safeParse({ ...LEAST, model: {}, data: {}, train: {} })
    .error.issues.map((issue) => issue.path.join(".")),
);

/** Keys of a node, also of those mappings that are one of several forms, and whether their form needs them. */
function childrenOf(node) {
  const forms = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.items ? [node.items] : [])];
  const own = Object.entries(node.properties ?? {});
  return [...own.map(([key, child]) => [key, child, node.required?.includes(key)]), ...forms.flatMap(childrenOf)];
}

/** One entry for each key that has a description; those without one are explained by the key above them. */
function entriesOf(node, path, isRequired) {
  const own = node.description === undefined ? [] : [entryOf(node, path, isRequired)];
  return [...own, ...childrenOf(node).flatMap(([key, child, needed]) => entriesOf(child, [...path, key], needed))];
}

function entryOf(node, path, isRequired) {
  const facts = [describeValues(node), describeDefault(node, path, isRequired)].filter((text) => text !== "");
  return wrap(`- \`${path.join(".")}\` (${facts.join("; ")}): ${node.description}`);
}

function describeDefault(node, path, isRequired) {
  const key = path.join(".");
  if (isRequired || required.has(key)) return "required";
  const value = path.reduce((under, step) => under?.[step], defaults);
  const shown = value === undefined || key === "name" ? node.default : value;
  return shown === undefined ? "" : `default \`${typeof shown === "string" ? shown : JSON.stringify(shown)}\``;
}

function describeValues(node) {
  if (node.anyOf ?? node.oneOf) return (node.anyOf ?? node.oneOf).map(describeValues).join(" or ");
  if (Array.isArray(node.type)) return node.type.map((type) => describeValues({ type })).join(" or ");
  if (node.const !== undefined) return `\`${node.const}\``;
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(", ");
  switch (node.type) {
    case "integer":
    case "number":
      return `${node.type === "integer" ? "whole number" : "number"} ${boundsOf(node).join(", ")}`.trim();
    case "array":
      return `list of ${describeValues(node.items)}`;
    case "object":
      if (node.properties === undefined) return `mapping of names to ${describeValues(node.additionalProperties)}`;
      return `mapping of ${Object.keys(node.properties)
        .map((key) => `\`${key}\``)
        .join(", ")}`;
    case "boolean":
      return "`true` or `false`";
    case "null":
      return "`null`";
    default:
      return "text";
  }
}

function boundsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  const bounds = [];
  if (minimum !== undefined) bounds.push(`>= ${minimum}`);
  if (exclusiveMinimum !== undefined) bounds.push(`> ${exclusiveMinimum}`);
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) bounds.push(`<= ${maximum}`);
  if (exclusiveMaximum !== undefined) bounds.push(`< ${exclusiveMaximum}`);
  return bounds;
}

function wrap(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== "" && line.length + 1 + word.length > LINE_WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

function keys() {
  const sections = Object.entries(configJsonSchema().properties);
  const single = sections.filter(([, node]) => childrenOf(node).length === 0);
  const nested = sections.filter(([, node]) => childrenOf(node).length > 0);
  const groups = [
    "### At the top\n",
    ...single.flatMap(([key, node]) => entriesOf(node, [key])),
    ...nested.flatMap(([key, node]) => [`\n### \`${key}\`\n`, ...entriesOf(node, [key])]),
  ];
  return groups.join("\n");
}

const document = readFileSync(DOCUMENT, "utf8");
const [before, rest] = document.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`${DOCUMENT} lacks its marks`);
const written = `${before}${BEGIN}\n\n${keys()}\n\n${END}${after}`;
if (!process.argv.includes("--check")) writeFileSync(DOCUMENT, written);
else if (written !== document) {
  process.stderr.write("error: docs/configuration.md is stale\n\nhint: run `node scripts/configuration-doc.mjs`\n");
  process.exitCode = 1;
}
