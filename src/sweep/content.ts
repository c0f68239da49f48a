import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { mapPaths } from "../config/layers/relative-paths.js";
import type { RunConfig, Script } from "../config/attached.js";
import { UserError } from "../errors.js";
import { withGivenWeights } from "../runs/given-weights.js";
import { reasonOf } from "../whole-file.js";

/** Bytes of a folder that are read to know its content; of a larger one, names and sizes have to do. */
const READ_AT_MOST = 512 * 1024 * 1024;

/**
 * Configurations with contents in the place of paths, so that one run has one name on every machine: what a file or a
 * folder holds counts, and not where it lies. A path is looked at once.
 */
export class Contents {
  private readonly known = new Map<string, string>();
  private readonly weights = new Map<string, RunConfig["model"]>();

  /** @throws UserError `unreadable_content` */
  inPlaceOfPaths(config: RunConfig): RunConfig {
    const mapped = mapPaths(config, (path, key) =>
      key.join(".") === "model.folder" ? this.ofModule(path, config) : this.of(path),
    ) as unknown as RunConfig;
    return mapped.script === undefined
      ? mapped
      : { ...mapped, script: { ...mapped.script, ...this.ofScript(mapped.script) } };
  }

  /**
   * The configuration with the very file of weights that its network begins with, where it names a run's folder.
   *
   * @throws UserError `missing_weights`, `changed_weights`
   */
  async withWeights(config: RunConfig): Promise<RunConfig> {
    const { model } = config;
    if (model === undefined || !("weights" in model) || model.weights == null) return config;
    const key = `${model.weights} ${model.weights_sha256 ?? ""}`;
    const found = this.weights.get(key) ?? (await withGivenWeights(config)).model;
    this.weights.set(key, found);
    const { weights, weights_sha256 } = found as typeof model;
    return { ...config, model: { ...model, weights, weights_sha256 } };
  }

  /** `files:` or, of what is too large to be read, `names:`, and a hash. */
  of(path: string): string {
    const found = this.known.get(path) ?? contentOf(path);
    this.known.set(path, found);
    return found;
  }

  /** Of the folder of a model of the user's own only the module counts: everything else may lie there. */
  private ofModule(folder: string, { model }: RunConfig): string {
    const [module = ""] = (model as { readonly kind: string }).kind.split(":");
    const path = join(folder, ...module.split("."));
    return this.of(isFile(`${path}.py`) ? `${path}.py` : path);
  }

  /** A script is its command, and what stands in the Python files that the command names. */
  private ofScript({ command, folder }: Script): object {
    const files = command.map((word) => resolve(folder, word)).filter((path) => path.endsWith(".py") && isFile(path));
    const words = command.map((word, index) =>
      index === 0 || files.includes(resolve(folder, word)) ? basename(word) : word,
    );
    return { command: words, folder: files.map((path) => this.of(path)).join(" ") };
  }
}

function contentOf(path: string): string {
  try {
    const files = filesOf(path);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const hash = createHash("sha256");
    for (const { file, size } of files) {
      hash.update(`${relative(path, file)}\n${size}\n`);
      if (bytes <= READ_AT_MOST) addContent(hash, file);
    }
    return `${bytes <= READ_AT_MOST ? "files" : "names"}:${hash.digest("hex")}`;
  } catch (error) {
    throw new UserError({
      code: "unreadable_content",
      message: `\`${path}\` cannot be read (${reasonOf(error)})`,
      hint: "a run of a sweep is named after what it is made from: make it readable, or name another path",
      cause: error,
    });
  }
}

interface FoundFile {
  readonly file: string;
  readonly size: number;
}

/** Files under `path` in one order, hidden ones and Python's caches left out; of a file, itself. */
function filesOf(path: string): FoundFile[] {
  const found = statSync(path);
  if (!found.isDirectory()) return [{ file: path, size: found.size }];
  const names = readdirSync(path).filter((name) => !name.startsWith(".") && name !== "__pycache__");
  return names.sort().flatMap((name) => filesOf(join(path, name)));
}

const PIECE = Buffer.alloc(1024 * 1024);

function addContent(hash: Hash, file: string): void {
  const opened = openSync(file, "r");
  try {
    for (let read = readSync(opened, PIECE); read > 0; read = readSync(opened, PIECE)) {
      hash.update(PIECE.subarray(0, read));
    }
  } finally {
    closeSync(opened);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
