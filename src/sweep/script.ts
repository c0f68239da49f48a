import { UserError } from "../errors.js";
import type { ReadSweep } from "./file.js";

/** Settings under `script.` are values for a script's command line, and no settings of the controller's. */
const PREFIX = "script.";

export function withoutScript<T extends Readonly<Record<string, unknown>>>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !key.startsWith(PREFIX))) as T;
}

interface ScriptRun {
  readonly condition: string;
  readonly seed: number;
  /** Settings of the run, the strongest last. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * The command of a run: `{seed}` is its seed, `{lr}` what `script.lr` is set to.
 *
 * @throws UserError where a value is missing or is used nowhere
 */
export function scriptOf(
  { file, seeds, shownAs }: ReadSweep,
  { condition, seed, values }: ScriptRun,
): [string, ...string[]] {
  if (typeof file.base === "string") throw new Error("a preset has no command");
  const { attach } = file.base;
  const words = [...attach, ...(file.conditions[condition]?.arguments ?? [])];
  const named: Record<string, string> = { seed: String(seed) };
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith(PREFIX)) named[key.slice(PREFIX.length)] = String(value);
  }
  const used = new Set<string>();
  const command = words.map((word) =>
    word.replaceAll(/\{([a-z][a-z0-9_]*)\}/g, (whole, name: string) => {
      used.add(name);
      const value = named[name];
      if (value === undefined) throw missing(whole, name, shownAs);
      return value;
    }),
  );
  const idle = Object.keys(named).find((name) => !used.has(name) && (name !== "seed" || seeds.length > 1));
  if (idle !== undefined) throw unused(idle, shownAs);
  return command as [string, ...string[]];
}

function missing(whole: string, name: string, shownAs: string): UserError {
  return new UserError({
    code: "invalid_sweep",
    message: `\`${shownAs}\`: the command has \`${whole}\`, and nothing says what that is`,
    hint: `set \`${PREFIX}${name}\` under \`set\`, in a condition or as an axis`,
  });
}

function unused(name: string, shownAs: string): UserError {
  return new UserError({
    code: "invalid_sweep",
    message:
      name === "seed"
        ? `\`${shownAs}\`: the command has no \`{seed}\`, so that every seed would train the same`
        : `\`${shownAs}\`: \`${PREFIX}${name}\` has no effect: the command has no \`{${name}}\``,
    hint: `write \`{${name}}\` where the command takes it, for example \`--${name}={${name}}\``,
  });
}
