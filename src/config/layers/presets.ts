import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../errors.js";
import { nearest } from "../checks/suggestions.js";

const FOLDER = fileURLToPath(new URL("../../../configs", import.meta.url));

export interface Preset {
  readonly name: string;
  readonly path: string;
  /** The first line of the comment that opens the file. */
  readonly description: string;
}

/** The configurations that come with the package, in alphabetical order. */
export function listPresets(): readonly Preset[] {
  return presetNames().map(presetCalled);
}

function presetNames(): string[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));
  return files.sort().map((file) => basename(file, ".yaml"));
}

function presetCalled(name: string): Preset {
  const path = join(FOLDER, `${name}.yaml`);
  return { name, path, description: descriptionIn(readFileSync(path, "utf8")) };
}

/**
 * @param mentionedAt the place in a file that names the preset, if one does
 * @throws UserError when no preset has this name
 */
export function findPreset(name: string, mentionedAt: string | null = null): Preset {
  const names = presetNames();
  if (names.includes(name)) return presetCalled(name);
  const guess = nearest(name, names);
  const known = `presets are ${names.map((known) => `\`${known}\``).join(", ")}; a file is given by its path, like \`./my.yaml\``;
  throw new UserError({
    code: "unknown_preset",
    message: `${mentionedAt === null ? "" : `${mentionedAt}: `}there is no preset \`${name}\``,
    hint: guess === null ? known : `did you mean \`${guess}\`? (${known})`,
  });
}

function descriptionIn(text: string): string {
  const comment = text.split("\n").find((line) => line.startsWith("# ") && !line.includes("yaml-language-server"));
  return comment?.slice(2) ?? "";
}
