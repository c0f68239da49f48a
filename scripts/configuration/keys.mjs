// The list of keys in docs/configuration.md, from the schema that checks configurations.
import { configJsonSchema } from "../../dist/config/json-schema.js";
import { configInputSchema } from "../../dist/config/schema.js";
import { wrapped } from "./text.mjs";

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

/** Keys of a node, and whether it needs them; also of those mappings that are one of several forms, with their kinds. */
function childrenOf(node) {
  const forms = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.items ? [node.items] : [])];
  const own = Object.entries(node.properties ?? {});
  const kinds = kindsOf(node);
  return [
    ...own.map(([key, child]) => ({ key, child, kinds, isRequired: node.required?.includes(key) })),
    ...forms.flatMap(childrenOf),
  ];
}

/** The kinds of a mapping whose keys depend on its `kind`, in words; none for other mappings. */
function kindsOf({ properties }) {
  const kind = properties?.kind;
  if (kind === undefined || kind.default !== undefined) return [];
  return (kind.enum ?? [kind.const]).map((word) => `\`${word ?? "module:function"}\``);
}

/**
 * One entry for each key that has a description; those without one are explained by the key above them. Of a key that
 * several kinds have, one entry names them; of a key that means another thing to another kind, there are two.
 */
function entriesOf(node, path) {
  const found = new Map();
  for (const { key, text, kinds } of factsUnder(node, path, [])) {
    const entry = `${key} ${text}`;
    const named = found.get(entry)?.kinds ?? [];
    found.set(entry, { key, text, kinds: [...new Set([...named, ...kinds])] });
  }
  const all = new Set([...found.values()].flatMap(({ kinds }) => kinds)).size;
  const isKind = ({ key }) => key === `${path.join(".")}.kind`;
  const entries = [...found.values()].sort((one, other) => Number(isKind(other)) - Number(isKind(one)));
  return entries.map(({ key, text, kinds }) => {
    const only = kinds.length === 0 || kinds.length === all || key.endsWith(".kind") ? "" : `of ${kinds.join(", ")}; `;
    return wrapped(`- \`${key}\` (${only}${text}`);
  });
}

function factsUnder(node, path, kinds, isRequired) {
  const facts = [describeValues(node), describeDefault(node, path, isRequired)].filter((text) => text !== "");
  const own = { key: path.join("."), kinds, text: `${facts.join("; ")}): ${node.description}` };
  const children = childrenOf(node).flatMap((child) =>
    factsUnder(child.child, [...path, child.key], child.kinds.length === 0 ? kinds : child.kinds, child.isRequired),
  );
  return node.description === undefined ? children : [own, ...children];
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

export function keys() {
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
