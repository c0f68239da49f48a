import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Folder of the installed package: holds configs, python and scripts. The same from src and from dist. */
export const PACKAGE_ROOT = fileURLToPath(new URL("..", import.meta.url));

export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(`${PACKAGE_ROOT}/package.json`, "utf8")) as { readonly version: string };
  return manifest.version;
}
