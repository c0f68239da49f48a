import { z } from "zod";
import { formsIn } from "../../src/config/schema-walk.js";
import { METRICS } from "../../src/metrics.js";

/** A key of the configuration, such as `probe.every`, and values that it may have, as a person would write them. */
export interface KeyWithValues {
  readonly key: string;
  readonly values: readonly string[];
}

/** Of keys whose values no type gives: lists, mappings and texts with a form of their own. */
const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  name: ["another"],
  "model.kind": ["resnet18", "vgg11", "encoder", "own.model:build"],
  "model.pretrained": ["./other", "a/b"],
  "model.revision": ["0123456789abcdef0123456789abcdef01234567"],
  "model.weights": ["./weights.safetensors", "null"],
  "model.weights_sha256": ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
  "model.folder": ["./elsewhere"],
  "model.options": ["{width: 3}"],
  "model.blocks": ["[{name: a, pattern: x}]", "[{name: b, pattern: y}, {name: c, pattern: z}]"],
  "model.head": ["^other"],
  "model.adapter": ["{method: ia3, targets: [key]}"],
  "model.adapter.method": ["lora", "ia3"],
  "model.adapter.targets": ["[key]", "[query, key]"],
  "model.adapter.options": ["{fan_in_fan_out: true}"],
  "data.classes": ["[a, b]", "[b, c, d]"],
  "data.path": ["/elsewhere"],
  "data.train": ["/texts", "{hub: a/b, revision: '0123456789abcdef0123456789abcdef01234567', split: train}"],
  "data.development": ["/texts"],
  "data.tests": ["[{name: xquad, source: /xquad}]", "[]"],
  "data.languages": ["[en, de]", "[en]"],
  "data.normalization": ["{mean: [0.1], std: [0.2]}", "{mean: [0.1, 0.1, 0.1], std: [1, 1, 1]}"],
  "train.schedule": ["constant", "linear", "{kind: linear_tail, fraction: 0.9}"],
  "probe.metrics": ["[]", ...METRICS.map((metric) => `[${metric}]`), `[${METRICS.join(", ")}]`],
  "evaluate.ood_path": ["/published"],
  "evaluate.frost_textures": ["/frost"],
};

/** Every key of a form of configuration; those inside lists and mappings of any names are written with these. */
export function keysOf(schema: z.core.$ZodType, prefix = ""): KeyWithValues[] {
  const found = new Map<string, Set<string>>();
  const visit = (node: z.core.$ZodType, path: string): void => {
    for (const form of formsIn(node)) {
      if (form instanceof z.ZodObject && WRITTEN[path] === undefined) {
        for (const [key, child] of Object.entries(form.shape))
          visit(child as z.ZodType, path === "" ? key : `${path}.${key}`);
      } else if (path !== "") {
        found.set(path, new Set([...(found.get(path) ?? []), ...(WRITTEN[path] ?? valuesOf(form))]));
      }
    }
  };
  visit(schema, prefix);
  return [...found].flatMap(([key, values]) => (values.size === 0 ? [] : [{ key, values: [...values] }]));
}

/** Values of a type: all words, both truth values, null, and numbers small and large, whole and broken. */
function valuesOf(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(String);
  if (schema instanceof z.ZodBoolean) return ["true", "false"];
  if (schema instanceof z.ZodNullable) return ["null"];
  if (schema instanceof z.ZodNumber) return ["0", "1", "2", "5", "19", "40", "0.001", "0.3", "0.97"];
  return [];
}
