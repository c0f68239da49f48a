import type { Body } from "../protocol/messages.js";
import type { Model } from "./state.js";

/*
 * What a metric is of one block stands beside the metric itself, as a series of its own: `probe/fisher_trace@layer4`.
 * No metric that is measured has an `@` in its name; what a script records may.
 */

type Metric = Body<"boundary">["metrics"][number];

export function blockKey(key: string, block: string): string {
  return `${key}@${block}`;
}

/** The metric and the block of such a key; null for the key of a metric itself. */
export function splitKey(key: string): { readonly metric: string; readonly block: string } | null {
  const at = key.startsWith("probe/") ? key.indexOf("@") : -1;
  return at === -1 ? null : { metric: key.slice(0, at), block: key.slice(at + 1) };
}

/** The values of the blocks as metrics of their own. They have no errors of changes, since no rule reads them. */
export function metricsOfBlocks({ key, blocks }: Metric, { head, blocks: below }: Model): Metric[] {
  return [head, ...below].flatMap(({ name }, index) => {
    const value = blocks?.values[index] ?? null;
    if (blocks === undefined || value === null) return [];
    return {
      key: blockKey(key, name),
      value,
      standard_error: blocks.standard_errors?.[index] ?? null,
      change_standard_error: null,
      span_standard_error: null,
      seconds: 0,
    };
  });
}

/** Values without a block that they belong to would be shown as another's; null where there are none such. */
export function strangeBlocks(model: Model | null, metrics: readonly Metric[]): string | null {
  if (model === null) return null;
  const expected = model.blocks.length + 1;
  const strange = metrics.find(({ blocks }) => {
    const errors = blocks?.standard_errors?.length ?? expected;
    return blocks !== undefined && (blocks.values.length !== expected || errors !== expected);
  });
  if (strange?.blocks === undefined) return null;
  return `it said of ${strange.blocks.values.length} blocks what ${strange.key} is, the model has ${model.blocks.length} and a head`;
}
