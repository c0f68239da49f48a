import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RunConfig } from "../config/attached.js";
import type { Checkpoint, State } from "../core/state.js";
import { UserError } from "../errors.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { replayFolder } from "../journal/replay.js";

/** What a checkpoint, and the best weights of a run on images, are made of besides others (thawline.storage). */
const WEIGHTS_FILE = "model.safetensors";
const MANIFEST_FILE = "manifest.json";

/** What a person can do where a run has no weights to give. */
const HINT = "set `model.weights` to a safetensors file, or to the folder of a run on images that has a checkpoint";

/**
 * The configuration with `model.weights` as a file, and that file's SHA-256: what the folder of a run holds, and which of
 * it is the newest, is looked for once, so that a resumed run begins with the same weights as its first attempt.
 *
 * @throws UserError `missing_weights`, `changed_weights`; and what reading a journal throws
 */
export async function withGivenWeights<C extends RunConfig>(config: C): Promise<C> {
  const { model } = config;
  if (model === undefined || !("weights" in model) || model.weights == null) return config;
  const file = isFolder(model.weights) ? await weightsOfRun(model.weights) : model.weights;
  const sha256 = await sha256Of(file);
  if (model.weights_sha256 != null && model.weights_sha256 !== sha256) {
    throw new UserError({
      code: "changed_weights",
      message: `\`${file}\` is not the file that \`model.weights_sha256\` names: its SHA-256 is ${sha256}`,
      hint: "put that file back, or leave `model.weights_sha256` out",
    });
  }
  return { ...config, model: { ...model, weights: file, weights_sha256: sha256 } };
}

/** @throws UserError `missing_weights` */
function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw missing(`\`model.weights\` names \`${path}\`, which does not exist`);
  return found.isDirectory();
}

/** The file of the weights that a run has: the best ones where it was told to leave them, else the newest that are whole. */
async function weightsOfRun(folder: string): Promise<string> {
  if (statSync(join(folder, JOURNAL_FILE), { throwIfNoEntry: false }) === undefined) {
    throw missing(`\`model.weights\` names the folder \`${folder}\`, which is not that of a run`);
  }
  const { state } = await replayFolder(folder);
  if (state.config.model === undefined || "pretrained" in state.config.model) {
    throw missing(`\`model.weights\` names \`${folder}\`, a run that trains no network for images by itself`);
  }
  const found = candidatesOf(state).find((stored) => isWhole(join(folder, stored.path), stored.manifestSha256));
  if (found === undefined) throw missing(`\`model.weights\` names \`${folder}\`, a run that has no whole checkpoint`);
  return join(folder, found.path, WEIGHTS_FILE);
}

function candidatesOf({ config, weights: { best, checkpoints } }: State): readonly Checkpoint[] {
  const newestFirst = [...checkpoints].sort((a, b) => b.step - a.step);
  return config.evaluate?.keep === "best" && best !== null ? [best, ...newestFirst] : newestFirst;
}

/** Whether the weights are what was written under the manifest that the journal knows. */
function isWhole(folder: string, manifestSha256: string): boolean {
  try {
    const manifest = readFileSync(join(folder, MANIFEST_FILE));
    if (digestOf(manifest) !== manifestSha256) return false;
    const { files } = JSON.parse(manifest.toString()) as { files: Record<string, { sha256: string }> };
    return files[WEIGHTS_FILE]?.sha256 === digestOf(readFileSync(join(folder, WEIGHTS_FILE)));
  } catch {
    return false;
  }
}

function digestOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw missing(`\`model.weights\` names \`${file}\`, which cannot be read: ${why}`);
  }
  return hash.digest("hex");
}

function missing(message: string): UserError {
  return new UserError({ code: "missing_weights", message, hint: HINT });
}
