import { isSettings } from "../config/layers/layers.js";
import { UserError } from "../errors.js";
import type { ReadSweep } from "./file.js";
import { nested } from "./override-layers.js";

/** What conditions leave out of the settings that they inherit. */
export class LeftOut {
  /** By the keys that are left out: in which conditions, and why in the first of them. */
  private readonly said = new Map<string, { readonly conditions: Set<string>; readonly why: string }>();
  private readonly keys = new Map<string, Set<string>>();

  /** @param sentence as a configuration says it: "left out `a`, `b`, without effect: why" */
  sentence(condition: string, sentence: string): void {
    const [what = "", ...why] = sentence.split(", without effect: ");
    const known = this.said.get(what) ?? { conditions: new Set(), why: why.join("") };
    known.conditions.add(condition);
    this.said.set(what, known);
  }

  key(key: string, condition: string): void {
    this.keys.set(key, (this.keys.get(key) ?? new Set()).add(condition));
  }

  /** One for each set of keys, whatever their reason is in each condition. */
  sentences(): string[] {
    return [...this.said].map(([what, { conditions, why }]) => {
      const reason = why === "" ? "" : `, without effect: ${why}`;
      return `${[...conditions].join(", ")}: ${what}${reason}`;
    });
  }

  /** @throws UserError for a setting of the sweep's own that no condition has a use for */
  refuseWithoutAnyEffect({ file, scale, locate, shownAs }: ReadSweep): void {
    const all = Object.keys(file.conditions).length;
    const shared = scale === null ? [] : [{ set: file.scales[scale]!.set, at: ["scales", scale, "set"] }];
    for (const { set, at } of [{ set: file.set, at: ["set"] }, ...shared]) {
      const idle = leavesOf(nested(set), "").find((key) => this.keys.get(key)?.size === all);
      if (idle === undefined) continue;
      const place = locate([...at, idle]) ?? locate([...at, ...idle.split(".")]) ?? `\`${shownAs}\``;
      throw new UserError({
        code: "invalid_sweep",
        message: `${place}: \`${idle}\` has no effect in any condition`,
        hint: `remove \`${idle}\``,
      });
    }
  }
}

function leavesOf(value: unknown, prefix: string): string[] {
  if (!isSettings(value)) return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, prefix === "" ? key : `${prefix}.${key}`));
}
