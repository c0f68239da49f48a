import type { Problem } from "./problems.js";
import type { ParsedConfig } from "./schema.js";
import { intervention as schema } from "./schema/intervention.js";

type Intervention = ParsedConfig["intervention"];

/** Settings of one kind of intervention, which the others would ignore. */
const SETTINGS_OF = {
  gradual_unfreezing: ["order", "first_unfreeze", "unfreeze", "frozen_batch_norm"],
  learning_rate_switch: ["before", "after"],
} as const satisfies Record<string, readonly (keyof Intervention)[]>;

/** What would be without effect, in a run of ours or a script of the user's own. */
export function findIgnoredInterventionSettings(intervention: Intervention): readonly Problem[] {
  const defaults = schema.parse({});
  return Object.entries(SETTINGS_OF).flatMap(([kind, keys]) => {
    if (kind === intervention.kind) return [];
    return keys
      .filter((key) => intervention[key] !== defaults[key])
      .map((key) => ({
        paths: [
          ["intervention", key],
          ["intervention", "kind"],
        ],
        text: `\`intervention.${key}\` is \`${intervention[key]}\`, which only \`intervention.kind=${kind}\` uses`,
        hint: `remove it, or set \`intervention.kind=${kind}\``,
      }));
  });
}

/** Models of the user's own are left out: only they know their layers. */
export function findMissingBatchNorm({ model, intervention }: ParsedConfig): readonly Problem[] {
  const what =
    model.kind === "encoder"
      ? "an encoder has no BatchNorm"
      : model.kind === "vgg11" && !("blocks" in model) && !model.batch_norm
        ? "`vgg11` has no BatchNorm without `model.batch_norm=true`"
        : null;
  if (what === null || intervention.frozen_batch_norm === "track") return [];
  const text = `\`intervention.frozen_batch_norm\` is given, but ${what}`;
  return [{ paths: [["intervention", "frozen_batch_norm"]], text, hint: "remove it" }];
}
